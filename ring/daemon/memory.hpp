// What a node may need of this machine: memory, and open files. docs/OPERATIONS.md has the same sum in words.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/result.hpp"
#include "ring/daemon/settings.hpp"

namespace anel {

/// The memory of a node with these settings, whatever its clients do. Above it the connections with most unread are
/// cut.
[[nodiscard]] std::uint64_t memory_bytes_max(const Settings& settings);

/// Raises the limit of open files of this process as far as it may. `bad_configuration` where that is too low for a
/// node. @return how many client connections fit.
[[nodiscard]] Result<std::size_t> connections_that_fit();

}  // namespace anel

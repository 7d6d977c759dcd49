// Does this machine's clock go on evenly, and not from behind what was written with it?
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/doctor/finding.hpp"
#include "common/instant.hpp"

namespace anel::command::doctor {

/// @param written_us  when output.txt was last written, by the same clock; nothing: there is none
[[nodiscard]] Finding judge_clock(const Moment& before, const Moment& after, std::optional<std::int64_t> written_us);

/// Of the data folder's output.txt, microseconds since 1970.
[[nodiscard]] std::optional<std::int64_t> last_written_us(const std::string& folder);

}  // namespace anel::command::doctor

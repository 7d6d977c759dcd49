// Client ids and instances that nobody else has.
#pragma once

#include <cstdint>

namespace anel::client {

/// A random number that is not 0.
[[nodiscard]] std::uint64_t random_number();

}  // namespace anel::client

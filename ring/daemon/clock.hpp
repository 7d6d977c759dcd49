// The only place where a node asks what time it is.
#pragma once

#include <chrono>

#include "common/instant.hpp"

namespace anel {

[[nodiscard]] inline Instant steady_now() {
    return Instant{std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}
[[nodiscard]] inline Moment moment_now() {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {steady_now(), std::chrono::duration_cast<Duration>(wall).count()};
}

}  // namespace anel

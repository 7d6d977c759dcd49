// Time as an argument: the core is told what time it is, it never asks.
#pragma once

#include <chrono>
#include <cstdint>

namespace anel {

struct MonotonicTime {};
using Duration = std::chrono::microseconds;
/// A point of the monotonic clock of one process, in microseconds. Not comparable between processes.
using Instant = std::chrono::time_point<MonotonicTime, Duration>;

/// What time it is: monotonic for intervals, wall for what people read.
struct Moment {
    Instant steady;
    std::int64_t wall_us = 0;  ///< microseconds since 1970 by this machine's clock, which may be wrong
};

}  // namespace anel

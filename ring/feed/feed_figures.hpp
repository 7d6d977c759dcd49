// What the feed tells of itself: its thread counts, whoever asks for metrics reads. Each figure stands alone; nobody needs
// two of them to be of one moment.
#pragma once

#include <atomic>
#include <cstdint>

namespace anel {

struct FeedFigures {
    using Figure = std::atomic<std::uint64_t>;
    Figure connections{0};  ///< of readers, now
    Figure waiting{0};      ///< requests that wait for output, now
    Figure round{0};        ///< the last one that was given out or may be
    Figure answers{0};      ///< with output
    Figure bytes{0};        ///< of output, in those
    Figure refused{0};      ///< requests, whatever the reason
    Figure dropped{0};      ///< answers whose reader was gone or did not read
};

}  // namespace anel

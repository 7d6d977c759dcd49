// How long clients wait: from the moment a push is taken until its ack is sent, and how large the pushes are.
//
// One push of a client is timed at a time; those behind it are not. So it needs no memory for each push: a fixed table,
// and the head of a frame, which is a few bytes to read.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "ring/core/io.hpp"
#include "ring/ops/histogram.hpp"

namespace anel {

class AckTimer {
public:
    /// @param batches  counts the messages of a push.
    void arrived(const ClientArrived& arrived, Instant now, Histogram& batches);
    /// @param latencies  counts microseconds.
    void replied(const ReplyClient& reply, Instant now, Histogram& latencies);

private:
    struct Sample {
        std::uint64_t who = 0;   ///< hash of the client id, or of a plain text client's connection; 0: free
        std::uint64_t last = 0;  ///< client sequence whose ack ends it
        Instant since{};
    };
    [[nodiscard]] Sample& sample_of(std::uint64_t who) { return samples_[who % samples_.size()]; }
    void begin(std::uint64_t who, std::uint64_t last, Instant now);
    void end(std::uint64_t who, std::uint64_t last, Instant now, Histogram& latencies);
    void forget(std::uint64_t who);

    std::array<Sample, 1024> samples_{};
};

}  // namespace anel

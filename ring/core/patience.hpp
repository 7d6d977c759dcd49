// How long a silence may last before it ends an epoch.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/instant.hpp"

namespace anel {

/// One token time-out as a rule. When an epoch ended for a silence and all its members were there again, nobody was dead:
/// the machine was too busy. Then a silence may last twice as long, eight times at most, and half as long again after
/// each 64 time-outs. It bounds nothing but how often a ring is mistaken: a failure detector that learns from its mistakes
/// (Chandra and Toueg, Unreliable failure detectors for reliable distributed systems, JACM 43(2), 1996).
class Patience {
public:
    static constexpr std::int64_t times_max = 8;
    static constexpr std::int64_t forgotten_after = 64;  ///< token time-outs

    /// An epoch ended for a silence, and nobody was gone.
    void was_mistaken(Instant now, Duration token_timeout) {
        times_ = std::min(times(now, token_timeout) * 2, times_max);
        since_ = now;
    }
    /// Of the token time-out, from 1 to `times_max`.
    [[nodiscard]] std::int64_t times(Instant now, Duration token_timeout) const {
        const auto halvings = (now - since_) / (token_timeout * forgotten_after);
        return halvings < 3 ? std::max<std::int64_t>(times_ >> halvings, 1) : 1;
    }

private:
    std::int64_t times_ = 1;
    Instant since_{};
};

}  // namespace anel

// When the output goes on in a new file. Pure; the holder asks it before each round that has text.
#pragma once

#include "ring/core/ledger.hpp"

namespace anel {

/// What the newest file of the output holds by now.
struct OutputFill {
    std::uint64_t bytes = 0;
    std::uint64_t rounds = 0;  ///< decided since it began
    WallTime begun_us = 0;     ///< of its first round, as far as it is known
};

/// Limits on one file of the output; 0: none.
struct OutputRotation {
    std::uint64_t bytes = 0;
    std::uint64_t rounds = 0;
    std::uint64_t seconds = 0;  ///< a file has rounds of one period alone; periods are counted from 1970, UTC

    /// Whether the round's text begins a new file. Never behind an empty one, so no file stays empty.
    [[nodiscard]] constexpr bool begins_file(const OutputFill& fill, const RoundRecord& next) const {
        if (fill.bytes == 0 || next.text.empty()) return false;
        if (bytes != 0 && fill.bytes + next.text.size() > bytes) return true;
        if (rounds != 0 && fill.rounds >= rounds) return true;
        return seconds != 0 && period_of(fill.begun_us) != period_of(next.wall_us);
    }

private:
    [[nodiscard]] constexpr std::int64_t period_of(WallTime wall_us) const {
        return wall_us / (static_cast<std::int64_t>(seconds) * 1'000'000);
    }
};

}  // namespace anel

// Where the ledger stands after a round: all that the next record must continue.
#pragma once

#include "ring/core/ledger.hpp"

namespace anel {

/// After a round, inside one segment. The next record begins at `file_offset` and has all these as its "before".
struct Position {
    std::uint64_t slots = 0;        ///< records of this segment before here
    std::uint64_t file_offset = 0;  ///< bytes, in the segment file
    Round round;
    Sequence sequence;
    WallTime wall_us = 0;
    std::uint64_t output_end = 0;  ///< bytes, in output.txt
    std::uint64_t hash = 0;        ///< of the record before
    friend bool operator==(const Position&, const Position&) = default;
};

}  // namespace anel

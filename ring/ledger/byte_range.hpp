// A part of output.txt.
#pragma once

#include <cstdint>
#include <vector>

namespace anel {

struct ByteRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// Appends a range, joined to the last one where it touches it.
inline void add_range(std::vector<ByteRange>& ranges, const ByteRange& range) {
    if (!ranges.empty() && ranges.back().end == range.begin) {
        ranges.back().end = range.end;
    } else {
        ranges.push_back(range);
    }
}

}  // namespace anel

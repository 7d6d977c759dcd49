// The last lines of output.txt, for the status page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace anel {

struct OutputTail {
    std::uint64_t bytes = 0;         ///< of the file; 0: there is none
    std::vector<std::string> lines;  ///< whole ones, the newest last; long ones are cut
};
/// Reads a few KiB at the end of the file, whatever its size.
[[nodiscard]] OutputTail read_output_tail(const std::string& path, std::size_t lines_max);

}  // namespace anel

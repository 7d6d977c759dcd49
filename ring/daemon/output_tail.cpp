#include "ring/daemon/output_tail.hpp"

#include <algorithm>
#include <fstream>

namespace anel {
namespace {

constexpr std::uint64_t tail_bytes = 16 * 1024;
constexpr std::size_t line_bytes_max = 400;
constexpr const char* ellipsis = "\u2026";

std::string cut(std::string line) {
    if (line.size() <= line_bytes_max) return line;
    auto end = line_bytes_max;
    // Not within a character of UTF-8.
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80U) --end;
    return line.substr(0, end) + ellipsis;
}

}  // namespace

OutputTail read_output_tail(const std::string& path, std::size_t lines_max) {
    std::ifstream file{path, std::ios::binary | std::ios::ate};
    if (!file) return {};
    const auto bytes = static_cast<std::uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
    const auto from = bytes - std::min(bytes, tail_bytes);
    file.seekg(static_cast<std::streamoff>(from));
    OutputTail tail{bytes, {}};
    std::string text(bytes - from, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    // What stands before the first line's end may be the rest of a line, and behind the last one is being written.
    std::size_t at = from == 0 ? 0 : text.find('\n') + 1;
    for (auto end = text.find('\n', at); end != std::string::npos; end = text.find('\n', at)) {
        tail.lines.push_back(cut(text.substr(at, end - at)));
        at = end + 1;
    }
    if (tail.lines.size() > lines_max) {
        tail.lines.erase(tail.lines.begin(), tail.lines.end() - static_cast<std::ptrdiff_t>(lines_max));
    }
    return tail;
}

}  // namespace anel

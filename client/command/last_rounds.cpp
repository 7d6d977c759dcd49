#include "client/command/last_rounds.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "client/command/output_reader.hpp"

namespace anel::command {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;

}  // namespace

std::optional<std::uint64_t> rounds_of(std::string_view from) {
    std::uint64_t rounds = 0;
    const auto read = std::from_chars(from.data(), from.data() + from.size(), rounds);
    if (read.ec != std::errc{} || read.ptr != from.data() + from.size()) return std::nullopt;
    return rounds;
}

std::optional<std::uint64_t> offset_of_last_rounds(std::uint64_t end, std::uint64_t rounds, const ReadBack& read) {
    const auto line = std::string{round_separator} + '\n';
    std::uint64_t found = 0;
    if (rounds == 0) return end;
    while (end > 0) {
        // Blocks overlap by a separator, so none is missed at an edge; `end` is where the next one may end.
        const auto begin = end > chunk_bytes ? end - chunk_bytes : 0;
        const auto chunk = read(begin, static_cast<std::size_t>(end - begin));
        if (!chunk) return std::nullopt;
        std::string_view text{*chunk};
        for (auto at = text.rfind(line); at != std::string_view::npos; at = text.rfind(line)) {
            const bool whole = (begin + at == 0) || (at > 0 && text[at - 1] == '\n');
            if (at == 0 && begin > 0) break;  // its line's start is in the block before
            if (whole && ++found > rounds) return begin + at + line.size();
            text = text.substr(0, at);
        }
        if (begin == 0) return 0;
        const auto edge = begin + line.size();
        end = std::min(edge, begin + text.size());
        if (text.size() < line.size()) end = begin + text.size();
    }
    return 0;
}

}  // namespace anel::command

// Reads output.txt as it grows, in either format. Pure: bytes in, messages and rounds out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace anel::command {

inline constexpr std::string_view round_separator = "########################################################";

struct ShownMessage {
    std::uint64_t container = 0;
    std::string text;       ///< as it stands in the file, escapes included
    std::string json_line;  ///< the line itself where the file is jsonl, else empty
};
struct RoundEnded {};
/// A line of blanks after a power cut, or one that belongs to no format.
struct OtherLine {};
using Shown = std::variant<ShownMessage, RoundEnded, OtherLine>;

class OutputReader {
public:
    /// Takes one complete line without its line feed. Nothing where the line is the first half of a message.
    std::optional<Shown> line(std::string_view text);
    /// jsonl: the line just read begins a new round.
    [[nodiscard]] bool began_round() const { return began_round_; }

private:
    std::optional<std::uint64_t> container_;
    std::optional<std::uint64_t> round_;
    bool began_round_ = false;
};

/// Cuts a stream of bytes into lines; keeps an unfinished one.
class LineCutter {
public:
    template <class Each>
    void feed(std::string_view bytes, Each each) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            if (end == std::string_view::npos) {
                rest_.append(bytes);
                return;
            }
            if (rest_.empty()) {
                each(bytes.substr(0, end));
            } else {
                rest_.append(bytes.substr(0, end));
                each(std::string_view{rest_});
                rest_.clear();
            }
            bytes.remove_prefix(end + 1);
        }
    }
    void clear() { rest_.clear(); }

private:
    std::string rest_;
};

}  // namespace anel::command

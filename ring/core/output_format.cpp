#include "ring/core/output_format.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <iterator>
#include <utility>

namespace anel {
namespace {

constexpr std::string_view classic_separator = "########################################################\n";
static_assert(classic_separator.size() == 57);

/// How many bytes of one well formed UTF-8 character stand at the start of `text`; 0: none (table 3-7 of the Unicode
/// standard).
std::size_t utf8_length(std::string_view text) {
    const auto at = [&](std::size_t index) -> unsigned {
        return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
    };
    const auto tail = [&](std::size_t index) { return (at(index) & 0xc0U) == 0x80U; };
    const unsigned lead = at(0);
    if (lead < 0x80) return text.empty() ? 0 : 1;
    if (lead < 0xc2) return 0;
    if (lead < 0xe0) return tail(1) ? 2 : 0;
    if (lead < 0xf0) {
        if (!tail(1) || !tail(2)) return 0;
        if (lead == 0xe0 && at(1) < 0xa0) return 0;
        if (lead == 0xed && at(1) > 0x9f) return 0;
        return 3;
    }
    if (lead < 0xf5) {
        if (!tail(1) || !tail(2) || !tail(3)) return 0;
        if (lead == 0xf0 && at(1) < 0x90) return 0;
        if (lead == 0xf4 && at(1) > 0x8f) return 0;
        return 4;
    }
    return 0;
}

/// As utf8_length, but 0 also for what people should not find raw in a text file: control characters (C0, DEL, and
/// C1, U+0080..U+009F), the line and paragraph separators (U+2028, U+2029), and the backslash that begins an escape.
std::size_t printable_length(std::string_view text) {
    const std::size_t length = utf8_length(text);
    const auto at = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    if (length == 1 && (at(0) < 0x20 || at(0) == 0x7f || at(0) == '\\')) return 0;
    if (length == 2 && at(0) == 0xc2 && at(1) < 0xa0) return 0;
    if (length == 3 && at(0) == 0xe2 && at(1) == 0x80 && (at(2) == 0xa8 || at(2) == 0xa9)) return 0;
    return length;
}

constexpr bool is_plain(char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

/// The length of the run of plain ASCII at the start that needs no escape, sixteen bytes at a time.
std::size_t plain_length(std::string_view text) {
    using Vector = std::uint8_t __attribute__((vector_size(16)));  // of GCC and Clang, on every processor
    constexpr std::uint8_t first = 0x20;
    constexpr std::uint8_t last = 0x7e;
    std::size_t length = 0;
    while (length + sizeof(Vector) <= text.size()) {
        Vector bytes;
        std::memcpy(&bytes, text.data() + length, sizeof bytes);
        const auto special = (bytes - first > last - first) | (bytes == '\\');
        std::array<std::uint64_t, 2> halves{};
        std::memcpy(halves.data(), &special, sizeof halves);
        if ((halves[0] | halves[1]) != 0) break;
        length += sizeof(Vector);
    }
    while (length < text.size() && is_plain(text[length])) ++length;
    return length;
}

constexpr std::string_view hex = "0123456789abcdef";

/// A few characters at a time, gathered on their way to the text. A batch of binary data is one escape after the other,
/// written by the thread that moves the token.
class Pieces {
public:
    explicit Pieces(std::string& text) : text_{text} {}
    Pieces(const Pieces&) = delete;
    Pieces& operator=(const Pieces&) = delete;
    ~Pieces() { flush(); }
    void add(std::string_view piece) {
        if (used_ + piece.size() > buffer_.size()) flush();
        for (const char character : piece) buffer_[used_++] = character;
    }
    void add_hex(unsigned byte) { add(std::array{'\\', 'x', hex[byte >> 4U], hex[byte & 0xfU]}); }
    /// A character below U+10000 as JSON says it.
    void add_code_point(unsigned point) {
        add(std::array{'\\', 'u', hex[point >> 12U], hex[point >> 8U & 0xfU], hex[point >> 4U & 0xfU],
                       hex[point & 0xfU]});
    }

private:
    template <std::size_t size>
    void add(const std::array<char, size>& piece) {
        if (used_ + size > buffer_.size()) flush();
        std::memcpy(buffer_.data() + used_, piece.data(), size);
        used_ += size;
    }
    void flush() { text_.append(buffer_.data(), std::exchange(used_, 0)); }

    std::string& text_;
    std::array<char, 256> buffer_;
    std::size_t used_ = 0;
};

/// Plain ASCII needs no escape in JSON either, but for the quotation mark.
void append_json_plain(std::string& text, std::string_view plain) {
    for (auto quote = plain.find('"'); quote != std::string_view::npos; quote = plain.find('"')) {
        text.append(plain.substr(0, quote));
        text += R"(\")";
        plain.remove_prefix(quote + 1);
    }
    text.append(plain);
}

/// Adds the one character at the start of `raw`, which is not plain, as JSON says it. @return its length in `raw`.
std::size_t add_json_special(Pieces& pieces, std::string_view raw) {
    const auto at = [&](std::size_t index) { return static_cast<unsigned>(static_cast<unsigned char>(raw[index])); };
    if (const std::size_t length = printable_length(raw); length > 0) {
        pieces.add(raw.substr(0, length));
        return length;
    }
    if (at(0) == '\\') {
        pieces.add(R"(\\)");
        return 1;
    }
    // Not printable, but JSON can say it; all of these are below U+FFFF.
    switch (const std::size_t length = utf8_length(raw)) {
        case 1: pieces.add_code_point(at(0)); return length;
        case 2: pieces.add_code_point((at(0) & 0x1fU) << 6U | (at(1) & 0x3fU)); return length;
        case 3: pieces.add_code_point((at(0) & 0x0fU) << 12U | (at(1) & 0x3fU) << 6U | (at(2) & 0x3fU)); return length;
        default: break;
    }
    // Not UTF-8, which JSON cannot carry: shown as in the classic format, escaped once more for JSON.
    pieces.add("\\");
    pieces.add_hex(at(0));
    return 1;
}

void append_json_string(std::string& text, std::string_view raw) {
    text += '"';
    while (!raw.empty()) {
        const std::size_t plain = plain_length(raw);
        append_json_plain(text, raw.substr(0, plain));
        raw.remove_prefix(plain);
        // One at a time: a plain one may be a quotation mark.
        Pieces pieces{text};
        while (!raw.empty() && !is_plain(raw.front())) raw.remove_prefix(add_json_special(pieces, raw));
    }
    text += '"';
}

/// The same as the classic format says it.
std::size_t add_special(Pieces& pieces, std::string_view raw) {
    const auto byte = static_cast<unsigned char>(raw.front());
    if (const std::size_t length = byte < 0x80 ? 0 : printable_length(raw); length > 0) {
        pieces.add(raw.substr(0, length));
        return length;
    }
    switch (byte) {
        case '\n': pieces.add(R"(\n)"); break;
        case '\r': pieces.add(R"(\r)"); break;
        case '\t': pieces.add(R"(\t)"); break;
        case '\\': pieces.add(R"(\\)"); break;
        default: pieces.add_hex(byte);
    }
    return 1;
}

/// Takes characters one by one, from one that is not plain up to where it pays again to look for plain ones in words.
void append_mixed(std::string& text, std::string_view& payload) {
    constexpr int plain_again = 8;
    Pieces pieces{text};
    for (int streak = 0; !payload.empty() && streak < plain_again;) {
        if (is_plain(payload.front())) {
            pieces.add(payload.substr(0, 1));
            payload.remove_prefix(1);
            ++streak;
        } else {
            payload.remove_prefix(add_special(pieces, payload));
            streak = 0;
        }
    }
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t plain = plain_length(text);
        if (plain == text.size()) return true;
        const std::size_t length = utf8_length(text.substr(plain));
        if (length == 0) return false;
        text.remove_prefix(plain + length);
    }
    return true;
}

void append_escaped(std::string& text, std::string_view payload) {
    while (!payload.empty()) {
        const std::size_t plain = plain_length(payload);
        text.append(payload.substr(0, plain));
        payload.remove_prefix(plain);
        append_mixed(text, payload);
    }
}

void append_message(std::string& text, OutputFormat format, const OutputLine& line) {
    if (format == OutputFormat::classic) {
        text += "Container ";
        const fmt::format_int container{line.container.value};
        text.append(container.data(), container.size());
        text += " \nMensagem: ";
        append_escaped(text, line.message.payload);
        text += '\n';
        return;
    }
    fmt::format_to(std::back_inserter(text), R"({{"sequence":{},"round":{},"container":{},"client":)",
                   line.sequence.value, line.round.value, line.container.value);
    append_json_string(text, line.client_id);
    fmt::format_to(std::back_inserter(text), R"(,"client_sequence":{},"timestamp":{},"message":)",
                   line.client_sequence.value, line.message.timestamp);
    append_json_string(text, line.message.payload);
    text += "}\n";
}

void append_round_end(std::string& text, OutputFormat format) {
    if (format == OutputFormat::classic) text += classic_separator;
}

}  // namespace anel

#include "tests/simulation/classic_reader.hpp"

#include <fmt/format.h>

#include <charconv>

#include "tests/simulation/world.hpp"

namespace anel::simulation {

namespace {

[[noreturn]] void odd(std::string_view why, std::string_view line) {
    throw Violation{fmt::format("output format: {}: '{}'", why, line)};
}

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) odd("a line does not end", text);
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

char hex_byte(std::string_view digits, std::string_view line) {
    unsigned value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || read.ptr != digits.data() + 2) odd("an escape without two digits", line);
    return static_cast<char>(value);
}

std::string unescape(std::string_view line) {
    std::string payload;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (static_cast<unsigned char>(line[at]) < 0x20 || line[at] == 0x7f) odd("a control character", line);
        if (line[at] != '\\') {
            payload += line[at];
            continue;
        }
        if (++at == line.size()) odd("a lonely backslash", line);
        switch (line[at]) {
            case '\\': payload += '\\'; break;
            case 'n': payload += '\n'; break;
            case 'r': payload += '\r'; break;
            case 't': payload += '\t'; break;
            case '0': payload += '\0'; break;
            case 'x':
                payload += hex_byte(line.substr(at + 1, 2), line);
                at += 2;
                break;
            default: odd("an unknown escape", line);
        }
    }
    return payload;
}

}  // namespace

std::vector<PrintedMessage> read_classic(std::string_view text) {
    std::vector<PrintedMessage> messages;
    if (text.empty()) return messages;
    const std::string separator(56, '#');
    while (true) {
        const auto head = take_line(text);
        if (head == separator) break;
        constexpr std::string_view container = "Container ";
        constexpr std::string_view message = "Mensagem: ";
        if (!head.starts_with(container) || !head.ends_with(' ')) odd("not a container line", head);
        const auto digits = head.substr(container.size(), head.size() - container.size() - 1);
        PrintedMessage made;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), made.container.value);
        if (read.ptr != digits.data() + digits.size() || digits.empty()) odd("not a container line", head);
        const auto line = take_line(text);
        if (!line.starts_with(message)) odd("not a message line", line);
        made.payload = unescape(line.substr(message.size()));
        messages.push_back(std::move(made));
    }
    if (messages.empty()) odd("an empty round left a trace", separator);
    if (!text.empty()) odd("bytes behind the end of a round", text);
    return messages;
}

}  // namespace anel::simulation

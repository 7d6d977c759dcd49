#include "client/command/status_screen.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace anel::command {
namespace {

constexpr const char* red = "\x1b[31m";
constexpr const char* green = "\x1b[32m";
constexpr const char* yellow = "\x1b[33m";
constexpr const char* plain = "\x1b[0m";

const char* colour_of(Health health) {
    switch (health) {
        case Health::healthy: return green;
        case Health::degraded: return yellow;
        case Health::no_majority:
        case Health::no_answer: return red;
    }
    return plain;
}

const char* colour_of(const NodeAnswer& answer) {
    if (!answer.status) return red;
    return all_serving({answer}) ? nullptr : yellow;
}

/// The table's lines: its head, then one a node.
std::vector<std::string> lines_of(const std::string& table) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < table.size();) {
        const auto end = std::min(table.find('\n', begin), table.size());
        lines.push_back(table.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

std::string shown_line(std::string line, const char* colour, const Surface& surface) {
    if (surface.columns > 0 && line.size() > surface.columns) line.resize(surface.columns);
    if (surface.colours && colour != nullptr) line = colour + line + plain;
    if (surface.in_place) line += "\x1b[K";  // what a longer line of the last frame left
    return line + '\n';
}

}  // namespace

std::optional<std::uint64_t> sequence_of(const std::vector<NodeAnswer>& answers) {
    std::optional<std::uint64_t> highest;
    for (const auto& answer : answers) {
        if (!answer.status) continue;
        const auto found = answer.status->find("sequence");
        if (found == answer.status->end() || !found->is_number_unsigned()) continue;
        highest = std::max(highest.value_or(0), found->get<std::uint64_t>());
    }
    return highest;
}

std::optional<double> rate_between(const Look& before, const Look& now) {
    const auto from = sequence_of(before.answers);
    const auto to = sequence_of(now.answers);
    // Nodes that know of more may have gone silent: a rate below 0 is none.
    if (!from || !to || *to < *from || now.at_s <= before.at_s) return std::nullopt;
    return static_cast<double>(*to - *from) / (now.at_s - before.at_s);
}

std::string StatusScreen::frame(const Look& look, const Surface& surface) {
    const auto health = health_of(look.answers);
    const auto rate = before_ ? rate_between(*before_, look) : std::nullopt;
    const auto table = lines_of(table_of(look.answers));
    std::string text;
    if (surface.in_place && lines_ > 0) text = fmt::format("\x1b[{}A\r", lines_);
    text += shown_line(table.front(), nullptr, surface);
    for (std::size_t node = 0; node < look.answers.size(); ++node) {
        text += shown_line(table[node + 1], colour_of(look.answers[node]), surface);
    }
    text += shown_line(fmt::format("ring: {}   {}   {}", name_of(health),
                                   rate ? fmt::format("{:.0f} messages/s", *rate) : "- messages/s", look.clock),
                       colour_of(health), surface);
    lines_ = look.answers.size() + 2;
    before_ = look;
    return text;
}

}  // namespace anel::command

#include "client/command/export/rows.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace anel::command {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array classic_columns{"piece", "row", "round", "container", "message"};
constexpr std::array jsonl_columns{"sequence",        "round",     "container", "client",
                                   "client_sequence", "timestamp", "message"};

/// A cell as RFC 4180 wants it.
std::string cell_of(const Json& value) {
    auto text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char letter : text) {
        if (letter == '"') quoted += '"';
        quoted += letter;
    }
    return quoted + "\"";
}

template <std::size_t N>
std::string csv_line(const std::array<const char*, N>& columns, const std::function<std::string(const char*)>& cell) {
    std::string line;
    for (const char* column : columns) line += (line.empty() ? "" : ",") + cell(column);
    return line + "\n";
}

/// One row, and before the first one the names of the columns.
template <std::size_t N>
std::string csv_of(const std::array<const char*, N>& columns, const Json& object, bool first) {
    const auto row = csv_line(
        columns, [&](const char* column) { return object.contains(column) ? cell_of(object[column]) : std::string{}; });
    return first ? csv_line(columns, [](const char* column) { return std::string{column}; }) + row : row;
}

}  // namespace

void RowWriter::feed(std::string_view bytes) {
    if (bytes.empty()) return;
    cutter_.feed(bytes, [this](std::string_view text) { line(text); });
    inside_line_ = bytes.back() != '\n';
}

void RowWriter::line(std::string_view text) {
    const auto shown = reader_.line(text);
    inside_message_ = !shown;
    if (!shown) return;
    if (const auto* message = std::get_if<ShownMessage>(&*shown)) row(*message);
    else if (std::holds_alternative<RoundEnded>(*shown)) ++round_;
}

void RowWriter::row(const ShownMessage& message) {
    ++rows_;
    const bool first = rows_ == 1;
    if (!message.json_line.empty()) {
        if (format_ == RowFormat::jsonl) write_(message.json_line + "\n");
        else write_(csv_of(jsonl_columns, Json::parse(message.json_line), first));
        return;
    }
    const Json object{{"piece", piece_},
                      {"row", rows_},
                      {"round", round_},
                      {"container", message.container},
                      {"message", message.text}};
    if (format_ == RowFormat::jsonl) {
        write_(object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    } else {
        write_(csv_of(classic_columns, object, first));
    }
}

}  // namespace anel::command

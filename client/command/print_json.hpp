// JSON on standard output. Bytes that are not UTF-8 are replaced: somebody's file name shall not end a command.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace anel::command {

/// @param indentation  of nested values; -1: all in one line
inline void print_json(const nlohmann::json& json, int indentation = 2) {
    fmt::print("{}\n", json.dump(indentation, ' ', false, nlohmann::json::error_handler_t::replace));
}
inline void print_json_line(const nlohmann::json& json) { print_json(json, -1); }

}  // namespace anel::command

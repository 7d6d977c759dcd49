// Parts of the ledger's reports as JSON.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "common/ids.hpp"
#include "ring/ledger/byte_range.hpp"

namespace anel::command {

/// [[begin, end], ...]
inline nlohmann::json json_of(const std::vector<ByteRange>& ranges) {
    auto all = nlohmann::json::array();
    for (const auto& range : ranges) all.push_back({range.begin, range.end});
    return all;
}

template <class Value>
nlohmann::json json_of(const std::optional<Value>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

inline nlohmann::json json_of(const std::optional<Round>& round) {
    if (!round) return nullptr;
    return round->value;
}

inline void print_json(const nlohmann::json& json) {
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace anel::command

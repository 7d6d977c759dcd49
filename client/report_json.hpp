// Parts of the ledger's reports as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "client/command/print_json.hpp"
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

}  // namespace anel::command

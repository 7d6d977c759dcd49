#include "client/command/status_view.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace anel::command {
namespace {

/// A value as text for people; "-" where the key is missing.
std::string shown(const nlohmann::json& status, const char* key) {
    const auto found = status.find(key);
    if (found == status.end() || found->is_null()) return "-";
    if (found->is_string()) return found->get<std::string>();
    if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
    if (found->is_array()) {
        std::string list;
        for (const auto& one : *found) list += (list.empty() ? "" : ",") + one.dump();
        return list.empty() ? "-" : list;
    }
    return found->dump();
}

std::size_t size_of(const nlohmann::json& status, const char* key) {
    const auto found = status.find(key);
    return found != status.end() && found->is_array() ? found->size() : 0;
}

bool is_operational(const nlohmann::json& status) { return shown(status, "state") == "operational"; }
bool is_serving(const NodeAnswer& answer) {
    return answer.status && is_operational(*answer.status) && shown(*answer.status, "taking_pushes") == "yes";
}

}  // namespace

Health health_of(const std::vector<NodeAnswer>& answers) {
    bool answered = false;
    bool majority = false;
    bool complete = true;
    for (const auto& answer : answers) {
        if (!is_serving(answer)) complete = false;
        if (!answer.status) continue;
        answered = true;
        const auto members = size_of(*answer.status, "members");
        const auto configured = std::max<std::size_t>(size_of(*answer.status, "configured"), 1);
        if (is_operational(*answer.status) && 2 * members > configured) majority = true;
        if (members < configured) complete = false;
    }
    if (!answered) return Health::no_answer;
    if (!majority) return Health::no_majority;
    return complete ? Health::healthy : Health::degraded;
}

bool all_serving(const std::vector<NodeAnswer>& answers) {
    return std::all_of(answers.begin(), answers.end(), is_serving);
}

int exit_code_of(Health health) {
    switch (health) {
        case Health::healthy: return 0;
        case Health::degraded: return 1;
        case Health::no_majority: return 3;
        case Health::no_answer: return 4;
    }
    return 4;
}

std::string name_of(Health health) {
    switch (health) {
        case Health::healthy: return "healthy";
        case Health::degraded: return "degraded";
        case Health::no_majority: return "no majority";
        case Health::no_answer: return "no node answered";
    }
    return {};
}

std::string table_of(const std::vector<NodeAnswer>& answers) {
    std::size_t width = 8;
    for (const auto& answer : answers) width = std::max(width, answer.address.size() + 1);
    auto text =
        fmt::format("{:<{}}{:>4}  {:<12}{:<8}{:>6}  {:<11}{:>9}{:>10}{:>11}  {:<7}{:>8}\n", "ADDRESS", width, "NODE",
                    "STATE", "PUSHES", "EPOCH", "MEMBERS", "ROUND", "DURABLE", "SEQUENCE", "HOLDER", "PENDING");
    for (const auto& answer : answers) {
        if (!answer.status) {
            text += fmt::format("{:<{}}{:>4}  {}\n", answer.address, width, "-", answer.problem);
            continue;
        }
        const auto& status = *answer.status;
        auto holder = shown(status, "holder");
        if (holder == "yes" && shown(status, "parked") == "yes") holder = "parked";
        text += fmt::format("{:<{}}{:>4}  {:<12}{:<8}{:>6}  {:<11}{:>9}{:>10}{:>11}  {:<7}{:>8}\n", answer.address,
                            width, shown(status, "node"), shown(status, "state"), shown(status, "taking_pushes"),
                            shown(status, "epoch"), shown(status, "members"), shown(status, "round"),
                            shown(status, "durable_round"), shown(status, "sequence"), holder,
                            shown(status, "pending_messages"));
    }
    return text;
}

}  // namespace anel::command

#include "client/doctor/finding.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace anel::command::doctor {

std::string name_of(Level level) {
    switch (level) {
        case Level::ok: return "ok";
        case Level::warn: return "warn";
        case Level::fail: return "fail";
    }
    return {};
}

Level worst_of(const Findings& findings) {
    auto worst = Level::ok;
    for (const auto& finding : findings) worst = std::max(worst, finding.level);
    return worst;
}

int exit_code_of(Level worst) {
    switch (worst) {
        case Level::ok: return 0;
        case Level::warn: return 1;
        case Level::fail: return 3;
    }
    return 3;
}

std::string line_of(const Finding& finding) {
    return fmt::format("{:<5} {:<13} {}: {}", name_of(finding.level), finding.what, finding.where, finding.text);
}

nlohmann::json json_of(const Findings& findings) {
    auto list = nlohmann::json::array();
    for (const auto& one : findings) {
        list.push_back({{"level", name_of(one.level)}, {"what", one.what}, {"where", one.where}, {"text", one.text}});
    }
    return {{"worst", name_of(worst_of(findings))}, {"findings", list}};
}

}  // namespace anel::command::doctor

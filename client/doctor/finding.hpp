// What `anel doctor` found: one line each.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace anel::command::doctor {

enum class Level {
    ok,    ///< as it should be
    warn,  ///< a node works with it, but somebody should look
    fail,  ///< a node does not start, or a ring does not stand, until it is mended
};

struct Finding {
    Level level = Level::ok;
    std::string what;   ///< which check: "volume", "peer", ...
    std::string where;  ///< a folder, an address
    std::string text;   ///< what is there; where that is not ok, the way out as well
};
using Findings = std::vector<Finding>;

[[nodiscard]] std::string name_of(Level level);
[[nodiscard]] Level worst_of(const Findings& findings);
/// 0 all ok, 1 warnings, 3 something fails.
[[nodiscard]] int exit_code_of(Level worst);
/// "fail  peer  127.0.0.1:6001: text".
[[nodiscard]] std::string line_of(const Finding& finding);
[[nodiscard]] nlohmann::json json_of(const Findings& findings);

}  // namespace anel::command::doctor

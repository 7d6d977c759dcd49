// What the answers of the nodes say about the ring as a whole. Pure, so it can be tested.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace anel::command {

struct NodeAnswer {
    std::string address;
    std::optional<nlohmann::json> status;  ///< nothing: no answer
    std::string problem;                   ///< why there is none
};

enum class Health {
    healthy,      ///< every asked node is in a view, takes pushes, and no configured node is missing
    degraded,     ///< the ring works, but somebody is missing
    no_majority,  ///< nodes answer, but none is in a view of a majority
    no_answer,    ///< nobody answers
};

[[nodiscard]] Health health_of(const std::vector<NodeAnswer>& answers);
/// For health checks: each asked node is in a view and takes pushes, whoever else may be missing.
[[nodiscard]] bool all_serving(const std::vector<NodeAnswer>& answers);
[[nodiscard]] int exit_code_of(Health health);
[[nodiscard]] std::string name_of(Health health);
[[nodiscard]] std::string table_of(const std::vector<NodeAnswer>& answers);

}  // namespace anel::command

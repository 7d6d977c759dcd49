// Who is where: this node's own ports, the other nodes, and what they say of themselves.
#pragma once

#include <map>

#include "client/command/status_view.hpp"
#include "client/doctor/finding.hpp"
#include "ring/daemon/settings.hpp"

namespace anel::command::doctor {

struct NetworkOptions {
    std::vector<std::string> clients;  ///< client ports, host:port
    int timeout_ms = 1000;             ///< for each answer
};
/// Binds each of this node's ports for a moment, unless this node runs and answers there; asks all nodes that the
/// settings name over their cluster ports, and those of the options over their client ports.
[[nodiscard]] Findings check_network(const Settings& settings, const NetworkOptions& options);

/// Status documents of nodes by id, as they came over cluster ports.
using Told = std::map<NodeId, nlohmann::json>;
/// Do nodes and this program have one version, and one list of nodes?
[[nodiscard]] Findings judge_told(const Told& told, const Settings& settings);
/// Are enough nodes there for a ring?
[[nodiscard]] Finding judge_majority(std::size_t answered, std::size_t configured);

}  // namespace anel::command::doctor

// This node's own ports: free for it, or answered by it.
#pragma once

#include "client/doctor/finding.hpp"
#include "ring/daemon/settings.hpp"

namespace anel::command::doctor {

[[nodiscard]] Findings check_ports(const Settings& settings, int timeout_ms);

/// Why nobody can listen there, as the system says; empty: somebody can.
[[nodiscard]] std::string listening_problem(const std::string& numeric_host, std::uint16_t port);

}  // namespace anel::command::doctor

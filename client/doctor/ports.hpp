// This node's own ports: free for it, or answered by it.
#pragma once

#include "client/doctor/finding.hpp"
#include "ring/daemon/settings.hpp"

namespace anel::command::doctor {

[[nodiscard]] Findings check_ports(const Settings& settings, int timeout_ms);

}  // namespace anel::command::doctor

// Asks nodes how they are, all at once.
#pragma once

#include <string>
#include <vector>

#include "client/command/status_view.hpp"

namespace anel::command {

/// One answer for each address (host:port), in their order; who does not answer within `timeout_ms` says so in it.
[[nodiscard]] std::vector<NodeAnswer> ask_all(const std::vector<std::string>& addresses, int timeout_ms);

}  // namespace anel::command

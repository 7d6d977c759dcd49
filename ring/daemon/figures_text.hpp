// A node's figures as the document that nodes tell each other for the status page: its status, and what grows.
#pragma once

#include <string>

#include "ring/daemon/report_text.hpp"

namespace anel {

[[nodiscard]] std::string figures_json(const Report& report, const Life& life, Instant now);

}  // namespace anel

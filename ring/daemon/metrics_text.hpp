// A node's report in the text format of Prometheus. docs/OPERATIONS.md lists the metrics; a test compares.
#pragma once

#include <string>

#include "ring/daemon/report_text.hpp"

namespace anel {

inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";
[[nodiscard]] std::string metrics_text(const Report& report, const Life& life);

}  // namespace anel

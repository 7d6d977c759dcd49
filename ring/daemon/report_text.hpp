// A node's report as text: JSON for `anel status`, the lines Prometheus reads, one word for health checks.
#pragma once

#include <map>
#include <string>

#include "ring/daemon/daemon.hpp"
#include "ring/daemon/settings.hpp"
#include "ring/ops/http_server.hpp"

namespace anel {

/// What does not change in one life of a node.
struct Life {
    Settings settings;
    Incarnation incarnation;
    Instant started;
};

[[nodiscard]] std::string status_json(const Report& report, const Life& life, Instant now);
[[nodiscard]] std::string metrics_text(const Report& report, const Life& life, Instant now);
/// `/status`, `/metrics`, `/health`, and `/`, which names them.
[[nodiscard]] HttpAnswer http_answer(std::string_view path, const Report& report, const Life& life, Instant now);

}  // namespace anel

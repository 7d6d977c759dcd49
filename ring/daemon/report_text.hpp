// A node's report as text: JSON for `anel status`, one word for health checks, and what each path of HTTP answers.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "ring/daemon/daemon.hpp"
#include "ring/daemon/settings.hpp"
#include "ring/feed/feed_figures.hpp"
#include "ring/ops/http_server.hpp"

namespace anel {

/// What does not change in one life of a node.
struct Life {
    Settings settings;
    Incarnation incarnation;
    Moment started;
    const SharedHistogram* sync_us;  ///< how long syncs of the journal took; outlives it
    const Feed* feed;                ///< of the status page
    const FeedFigures* output_feed;  ///< for readers
};

/// One word.
[[nodiscard]] std::string_view state_of(const NodeStatus& status);
[[nodiscard]] nlohmann::ordered_json status_object(const Report& report, const Life& life, Instant now);
[[nodiscard]] std::string status_json(const Report& report, const Life& life, Instant now);
/// One line. Paths and names are the user's; bytes that are no UTF-8 become the sign for such.
[[nodiscard]] std::string as_text(const nlohmann::ordered_json& json);

/// `/status`, `/metrics`, `/healthz`, `/readyz`, and `/health`, the older name of the last.
[[nodiscard]] HttpAnswer http_answer(std::string_view path, const Report& report, const Life& life, Instant now);
/// The status page, which does not need the node's answer.
[[nodiscard]] std::optional<HttpAnswer> page_answer(std::string_view path);

}  // namespace anel

#include "ring/daemon/report_text.hpp"

#include <fmt/format.h>

#include "ring/daemon/memory.hpp"
#include "ring/daemon/metrics_text.hpp"
#include "ring/ops/page.hpp"

namespace anel {
namespace {

std::int64_t ms(Duration interval) { return interval.count() / 1000; }

nlohmann::ordered_json timing_json(const Timing& timing) {
    return {{"token_timeout", ms(timing.token_timeout)},
            {"hop_resend", ms(timing.hop_resend)},
            {"wake_resend", ms(timing.wake_resend)},
            {"link_hello_resend", ms(timing.link_hello_resend)},
            {"call_stagger", ms(timing.call_stagger)},
            {"call_rest", ms(timing.call_rest)},
            {"call_rest_cold", ms(timing.call_rest_cold)},
            {"call_again", ms(timing.call_again)},
            {"answer_patience", ms(timing.answer_patience)},
            {"no_quorum_after", ms(timing.no_quorum_after)},
            {"durable_recheck", ms(timing.durable_recheck)},
            {"asleep", ms(timing.asleep)},
            {"heartbeat", ms(timing.heartbeat)},
            {"heartbeat_timeout", ms(timing.heartbeat_timeout)},
            {"leave_patience", ms(timing.leave_patience)}};
}

}  // namespace

std::string_view state_of(const NodeStatus& status) { return status.leaving ? "leaving" : name_of(status.phase); }

nlohmann::ordered_json status_object(const Report& report, const Life& life, Instant now) {
    const auto& node = report.node;
    const auto& config = life.settings.node;
    auto members = nlohmann::ordered_json::array();
    if (node.view) {
        for (const auto& member : node.view->members) members.push_back(member.id.value);
    }
    auto configured = nlohmann::ordered_json::array();
    for (const auto id : config.nodes) configured.push_back(id.value);
    nlohmann::ordered_json json{
        {"node", config.self.value},
        {"incarnation", fmt::format("{:016x}", life.incarnation.value)},
        {"version", ANEL_VERSION},
        {"state", state_of(node)},
        {"taking_pushes", node.taking_pushes},
        {"epoch", node.tip.epoch.value},
        {"coordinator", nullptr},
        {"members", members},
        {"configured", configured},
        {"segment", node.tip.segment.value},
        {"round", node.tip.round.value},
        {"sequence", node.tip.sequence.value},
        {"durable_round", node.durable.value},
        {"holder", node.holder},
        {"parked", node.parked},
        {"pending_messages", node.pending_messages},
        {"pending_bytes", node.pending_bytes},
        {"sessions", node.sessions},
        {"clients", node.clients},
        {"connections", report.guard.connections},
        {"connections_max", life.settings.connections},
        {"memory_bytes", resident_bytes()},
        {"memory_bytes_max", memory_bytes_max(life.settings)},
        {"uptime_ms", ms(now - life.started.steady)},
        {"token_timeout_ms", life.settings.token_timeout_ms},
        {"overdue_after_ms", ms(node.overdue_after)},
        {"timing", timing_json(config.timing)},
        {"format", config.format == OutputFormat::jsonl ? "jsonl" : "classic"},
        {"data", life.settings.data},
    };
    if (node.view) {
        json["epoch"] = node.view->epoch.value;
        json["coordinator"] = node.view->coordinator.value;
    }
    return json;
}

std::string as_text(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string status_json(const Report& report, const Life& life, Instant now) {
    return as_text(status_object(report, life, now));
}

HttpAnswer http_answer(std::string_view path, const Report& report, const Life& life, Instant now) {
    if (path == "/status") return {200, "application/json", status_json(report, life, now) + "\n"};
    if (path == "/metrics") return {200, metrics_content_type, metrics_text(report, life)};
    if (path == "/healthz") return {200, "text/plain; charset=utf-8", fmt::format("{}\n", state_of(report.node))};
    if (path == "/health" || path == "/readyz") {
        const bool ready = report.node.taking_pushes;
        return {ready ? 200 : 503, "text/plain; charset=utf-8", fmt::format("{}\n", state_of(report.node))};
    }
    return {404, "text/plain; charset=utf-8", "there are /, /status, /metrics, /healthz, /readyz and /events\n"};
}

std::optional<HttpAnswer> page_answer(std::string_view path) {
    if (path == "/") return HttpAnswer{200, "text/html; charset=utf-8", std::string{page::html}};
    if (path == "/page.js") return HttpAnswer{200, "text/javascript; charset=utf-8", std::string{page::script}};
    if (path == "/page.css") return HttpAnswer{200, "text/css; charset=utf-8", std::string{page::style}};
    return std::nullopt;
}

}  // namespace anel

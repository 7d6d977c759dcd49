#include "ring/daemon/report_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace anel {
namespace {

std::int64_t ms(Duration interval) { return interval.count() / 1000; }

std::string_view state_of(const NodeStatus& status) { return status.leaving ? "leaving" : name_of(status.phase); }

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
            {"start_timeout", ms(timing.start_timeout)},
            {"no_quorum_after", ms(timing.no_quorum_after)},
            {"durable_recheck", ms(timing.durable_recheck)},
            {"asleep", ms(timing.asleep)}};
}

struct Metric {
    const char* name;
    const char* type;
    const char* help;
    std::uint64_t value;
};

}  // namespace

std::string status_json(const Report& report, const Life& life, Instant now) {
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
        {"uptime_ms", ms(now - life.started)},
        {"token_timeout_ms", life.settings.token_timeout_ms},
        {"timing", timing_json(config.timing)},
        {"format", config.format == OutputFormat::jsonl ? "jsonl" : "classic"},
        {"data", life.settings.data},
    };
    if (node.view) {
        json["epoch"] = node.view->epoch.value;
        json["coordinator"] = node.view->coordinator.value;
    }
    // Paths and names are the user's; bytes that are no UTF-8 must not end the node.
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string metrics_text(const Report& report, const Life& life, Instant now) {
    const auto& node = report.node;
    const auto& ring = report.ring;
    const Metric metrics[] = {
        {"taking_pushes", "gauge", "1 while clients are served", node.taking_pushes},
        {"epoch", "gauge", "of the present view", node.view ? node.view->epoch.value : node.tip.epoch.value},
        {"members", "gauge", "nodes of the present view", node.view ? node.view->members.size() : 0},
        {"configured", "gauge", "nodes of the ring", life.settings.node.nodes.size()},
        {"holder", "gauge", "1 while this node holds the token", node.holder},
        {"round", "gauge", "the last decided round", node.tip.round.value},
        {"sequence", "gauge", "of the last decided message", node.tip.sequence.value},
        {"durable_round", "gauge", "every round up to it is durable", node.durable.value},
        {"pending_messages", "gauge", "taken and not yet written", node.pending_messages},
        {"pending_bytes", "gauge", "taken and not yet written", node.pending_bytes},
        {"sessions", "gauge", "of the ledger", node.sessions},
        {"clients", "gauge", "client ids this node remembers", node.clients},
        {"uptime_ms", "gauge", "of this process", static_cast<std::uint64_t>(ms(now - life.started))},
        {"views_total", "counter", "views entered", ring.views},
        {"tokens_received_total", "counter", "hops that ended here", ring.tokens_received},
        {"rounds_decided_total", "counter", "as holder", ring.rounds_decided},
        {"messages_decided_total", "counter", "as holder", ring.messages_decided},
        {"output_bytes_total", "counter", "as holder", ring.output_bytes},
        {"rounds_fenced_total", "counter", "decides that came too late", ring.rounds_fenced},
        {"rounds_disk_full_total", "counter", "decides that found no space", ring.rounds_disk_full},
        {"grants_total", "counter", "epochs granted to this node", ring.grants},
        {"grants_refused_total", "counter", "epochs not granted", ring.grants_refused},
        {"checkpoints_total", "counter", "begun", ring.checkpoints},
        {"client_frames_total", "counter", "received from clients", ring.client_frames},
        {"acks_total", "counter", "sent to clients", ring.acks},
        {"rejects_total", "counter", "sent to clients", ring.rejects},
        {"busys_total", "counter", "sent to clients", ring.busys},
        {"client_answers_dropped_total", "counter", "the client was gone or did not read", report.clients.dropped},
        {"client_malformed_total", "counter", "messages of too many frames", report.clients.malformed},
        {"control_received_total", "counter", "control messages", report.control.received},
        {"control_malformed_total", "counter", "control messages that could not be read", report.control.malformed},
        {"link_received_total", "counter", "link messages", report.links.received},
        {"link_sent_total", "counter", "link messages", report.links.sent},
        {"link_refused_total", "counter", "link messages that found no room", report.links.refused},
        {"link_malformed_total", "counter", "link messages that could not be read", report.links.malformed},
        {"link_dropped_total", "counter", "links whose connection went away", report.links.dropped},
    };
    std::string text;
    for (const auto& metric : metrics) {
        text += fmt::format("# HELP anel_{0} {1}\n# TYPE anel_{0} {2}\nanel_{0} {3}\n", metric.name, metric.help,
                            metric.type, metric.value);
    }
    return text + fmt::format(
                      "# HELP anel_state the phase of this node\n# TYPE anel_state gauge\n"
                      "anel_state{{state=\"{}\"}} 1\n",
                      state_of(node));
}

HttpAnswer http_answer(std::string_view path, const Report& report, const Life& life, Instant now) {
    if (path == "/status") return {200, "application/json", status_json(report, life, now) + "\n"};
    if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(report, life, now)};
    if (path == "/health") {
        const bool healthy = report.node.taking_pushes;
        return {healthy ? 200 : 503, "text/plain; charset=utf-8", fmt::format("{}\n", state_of(report.node))};
    }
    if (path == "/") {
        return {200, "text/plain; charset=utf-8",
                fmt::format("Anel {}, node {}: {}\n/status /metrics /health\n", ANEL_VERSION,
                            life.settings.node.self.value, state_of(report.node))};
    }
    return {404, "text/plain; charset=utf-8", "there are /status, /metrics and /health\n"};
}

}  // namespace anel

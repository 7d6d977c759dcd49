#include "client/doctor/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <thread>

#include "client/command/ask_nodes.hpp"
#include "client/doctor/ports.hpp"
#include "ring/daemon/clock.hpp"
#include "ring/transport/figures_asker.hpp"

namespace anel::command::doctor {
namespace {

std::string text_of(const nlohmann::json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end()) return "-";
    return found->is_string() ? found->get<std::string>() : found->dump();
}

/// Asks over and over until all have answered or the time is over: names are looked up and connections made meanwhile.
Told ask_nodes(const Settings& settings, int timeout_ms) {
    zmq::context_t context{1};
    constexpr NodeId nobody{limits::nodes_max};  // the asker leaves itself out, and we are none of them
    const auto own = resolve_host(settings.peers.at(settings.node.self).host);
    FiguresAsker asker{context, settings.peers, nobody, own && is_ipv6(*own)};
    Told told;
    const auto until = steady_now() + std::chrono::milliseconds{timeout_ms};
    while (told.size() < settings.peers.size() && steady_now() < until) {
        for (auto& [node, document] : asker.ask(steady_now(), std::chrono::milliseconds{50})) {
            auto json = nlohmann::json::parse(document, nullptr, false);
            if (json.is_object() && json.contains("status") && json["status"].is_object()) told[node] = json["status"];
        }
        std::this_thread::sleep_for(
            std::chrono::milliseconds{20});  // while nobody is connected the asker does not wait
    }
    return told;
}

Finding judge_peer(NodeId node, const Endpoint& endpoint, const Told& told, int timeout_ms) {
    const auto where = to_text(endpoint);
    const auto what = fmt::format("node {}", node.value);
    const auto answer = told.find(node);
    if (answer != told.end()) {
        const auto said = text_of(answer->second, "node");
        if (said != std::to_string(node.value)) {
            return {Level::fail, what, where,
                    fmt::format("node {} answers there: correct peers (ANEL_PEERS), or that node's id", said)};
        }
        return {Level::ok, what, where,
                fmt::format("{}, version {}", text_of(answer->second, "state"), text_of(answer->second, "version"))};
    }
    const auto host = resolve_host(endpoint.host);
    if (!host) {
        return {Level::fail, what, where, host.error().text + ": correct peers (ANEL_PEERS), or make the name known"};
    }
    if (accepts_connections(*host, endpoint.port, timeout_ms)) {
        return {Level::fail, what, where,
                "somebody accepts connections there and does not answer as a node: it is paused, or another program "
                "has the port (ss -ltnp there)"};
    }
    return {Level::warn, what, where,
            "nobody listens: start the node; if it runs, let this machine reach its cluster and link ports (firewall, "
            "ANEL_BIND)"};
}

Finding judge_client_port(const NodeAnswer& answer) {
    if (!answer.status) {
        return {Level::warn, "clients", answer.address,
                answer.problem + ": start the node, or correct --nodes (ANEL_NODES)"};
    }
    const bool serves = all_serving({answer});
    return {serves ? Level::ok : Level::warn, "clients", answer.address,
            fmt::format("node {} {}", text_of(*answer.status, "node"),
                        serves ? "takes messages"
                               : fmt::format("takes none now, it is {}: anel status shows the ring",
                                             text_of(*answer.status, "state")))};
}

}  // namespace

Findings judge_told(const Told& told, const Settings& settings) {
    std::map<std::string, std::vector<std::uint64_t>> versions;
    auto configured = nlohmann::json::array();
    for (const auto id : settings.node.nodes) configured.push_back(id.value);
    Findings findings;
    for (const auto& [node, status] : told) {
        versions[text_of(status, "version")].push_back(node.value);
        const auto list = status.find("configured");
        if (list != status.end() && *list == configured) continue;
        findings.push_back(
            {Level::fail, "node list", fmt::format("node {}", node.value),
             fmt::format("it knows the nodes {}, here they are {}: give all of them one list (ANEL_PEERS)",
                         text_of(status, "configured"), configured.dump())});
    }
    if (told.empty()) return findings;
    versions[ANEL_VERSION];
    if (versions.size() == 1) {
        findings.push_back({Level::ok, "versions", "all nodes", ANEL_VERSION});
        return findings;
    }
    std::string list;
    for (const auto& [version, nodes] : versions) {
        list += fmt::format("{}{} ({}{})", list.empty() ? "" : ", ", version, nodes.empty() ? "this program" : "nodes ",
                            fmt::join(nodes, ","));
    }
    findings.push_back({Level::warn, "versions", "all nodes", list + ": finish the upgrade"});
    return findings;
}

Finding judge_majority(std::size_t answered, std::size_t configured) {
    const auto text = fmt::format("{} of {} nodes answer", answered, configured);
    if (2 * answered > configured) return {Level::ok, "majority", "ring", text};
    const auto needed = fmt::format("{}: a ring needs {}; start them", text, configured / 2 + 1);
    return {answered == 0 ? Level::warn : Level::fail, "majority", "ring", needed};
}

Findings check_network(const Settings& settings, const NetworkOptions& options) {
    const auto told = ask_nodes(settings, options.timeout_ms);
    auto findings = check_ports(settings, options.timeout_ms);
    for (const auto& [node, endpoint] : settings.peers) {
        if (node != settings.node.self) findings.push_back(judge_peer(node, endpoint, told, options.timeout_ms));
    }
    findings.push_back(judge_majority(told.size(), settings.peers.size()));
    for (auto& finding : judge_told(told, settings)) findings.push_back(std::move(finding));
    for (const auto& answer : ask_all(options.clients, options.timeout_ms)) {
        findings.push_back(judge_client_port(answer));
    }
    return findings;
}

}  // namespace anel::command::doctor

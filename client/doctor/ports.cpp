#include "client/doctor/ports.hpp"

#include <fmt/format.h>

#include "client/command/ask_nodes.hpp"
#include "client/command/listening.hpp"
#include "ring/transport/transport.hpp"

namespace anel::command::doctor {
namespace {

/// A node of one ring needs room for links that are on their way out.
constexpr unsigned link_ports_least = 8;

/// What stands at a port that cannot be bound: this node, as it should be, or somebody else.
Finding judge_taken(const std::string& what, const std::string& where, bool ours, NodeId self, const std::string& why) {
    if (ours) return {Level::ok, what, where, fmt::format("node {} runs and has it", self.value)};
    return {Level::fail, what, where,
            fmt::format("{}: end who has it (ss -ltnp shows the program), or choose another port", why)};
}

bool answers_as_client_port(const std::string& address, NodeId self, int timeout_ms) {
    const auto answers = ask_all({address}, timeout_ms);
    if (!answers.front().status) return false;
    const auto node = answers.front().status->find("node");
    return node != answers.front().status->end() && *node == self.value;
}

bool answers_as_cluster_port(const std::string& numeric_host, const Settings& settings) {
    zmq::context_t context{1};
    const auto other = who_answers_at(context, numeric_host, settings.cluster_port);
    return other && other->id == settings.node.self;
}

}  // namespace

Findings check_ports(const Settings& settings, int timeout_ms) {
    const auto& own = settings.peers.at(settings.node.self);
    const auto host = resolve_host(own.host);
    if (!host) {
        return {{Level::fail, "own name", to_text(own),
                 host.error().text + ": correct this node's entry of peers (ANEL_PEERS), or make the name known"}};
    }
    const auto listens_at = bind_host_of(settings, *host);
    Findings findings;
    bool runs = false;
    const auto check = [&](const std::string& what, const std::string& at, std::uint16_t port, const auto& answers) {
        const auto where = to_text({at, port});
        const auto problem = listening_problem(at, port);
        if (problem.empty()) findings.push_back({Level::ok, what, where, "free"});
        else findings.push_back(judge_taken(what, where, answers(to_text({*host, port})), settings.node.self, problem));
    };
    check("client port", listens_at, settings.port, [&](const std::string& address) {
        runs = answers_as_client_port(address, settings.node.self, timeout_ms);
        return runs;
    });
    check("cluster port", listens_at, settings.cluster_port,
          [&](const std::string&) { return answers_as_cluster_port(*host, settings); });
    if (settings.http_port != 0) {
        check("http port", settings.http_bind, settings.http_port, [&](const std::string&) { return runs; });
    }
    const auto& links = settings.link_ports;
    if (links.first != 0 && links.last - links.first + 1U < link_ports_least) {
        findings.push_back(
            {Level::warn, "link ports", fmt::format("{}-{}", links.first, links.last),
             fmt::format("fewer than {}: old links stay open for a moment; widen ANEL_LINK_PORTS", link_ports_least)});
    }
    return findings;
}

}  // namespace anel::command::doctor

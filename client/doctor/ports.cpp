#include "client/doctor/ports.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "client/command/ask_nodes.hpp"
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

std::string listening_problem(const std::string& numeric_host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_family = numeric_host == "*" ? AF_INET : AF_UNSPEC;
    addrinfo* found = nullptr;
    const int unknown =
        getaddrinfo(numeric_host == "*" ? nullptr : numeric_host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (unknown != 0) return gai_strerror(unknown);
    const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;  // as a node does: what an ended process left in TIME_WAIT is no obstacle
    (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const bool bound = ::bind(socket, found->ai_addr, found->ai_addrlen) == 0 && ::listen(socket, 1) == 0;
    std::string problem = bound ? "" : std::strerror(errno);
    ::close(socket);
    freeaddrinfo(found);
    return problem;
}

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
    const auto check = [&](const std::string& what, std::uint16_t port, const auto& answers) {
        const auto where = to_text({listens_at, port});
        const auto problem = listening_problem(listens_at, port);
        if (problem.empty()) findings.push_back({Level::ok, what, where, "free"});
        else findings.push_back(judge_taken(what, where, answers(to_text({*host, port})), settings.node.self, problem));
    };
    check("client port", settings.port, [&](const std::string& address) {
        runs = answers_as_client_port(address, settings.node.self, timeout_ms);
        return runs;
    });
    check("cluster port", settings.cluster_port,
          [&](const std::string&) { return answers_as_cluster_port(*host, settings); });
    if (settings.http_port != 0) check("http port", settings.http_port, [&](const std::string&) { return runs; });
    const auto& links = settings.link_ports;
    if (links.first != 0 && links.last - links.first + 1U < link_ports_least) {
        findings.push_back(
            {Level::warn, "link ports", fmt::format("{}-{}", links.first, links.last),
             fmt::format("fewer than {}: old links stay open for a moment; widen ANEL_LINK_PORTS", link_ports_least)});
    }
    return findings;
}

}  // namespace anel::command::doctor

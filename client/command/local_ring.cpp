#include "client/command/local_ring.hpp"

#include <fmt/format.h>

#include <thread>

#include "client/command/ask_nodes.hpp"
#include "client/command/commands.hpp"
#include "client/command/listening.hpp"
#include "client/options.hpp"
#include "common/limits.hpp"

namespace anel::command {
namespace {

/// One port for each node, from the first on.
struct Ports {
    std::string_view flag;
    std::uint64_t first = 0;
};

std::vector<Ports> ports_of(const LocalRing::Options& options) {
    std::vector<Ports> all{{"--base-port", options.base_port}, {"--cluster-base-port", options.cluster_base_port}};
    if (options.http_base_port != 0) all.push_back({"--http-base-port", options.http_base_port});
    return all;
}

std::string problem_of(const Ports& ports, std::uint64_t nodes) {
    constexpr std::uint64_t port_end = 65536;
    if (ports.first == 0 || ports.first > port_end - nodes) {
        return fmt::format("{} {}: {} ports in a row from 1 to 65535 are allowed", ports.flag, ports.first, nodes);
    }
    for (std::uint64_t node = 0; node < nodes; ++node) {
        const auto port = static_cast<std::uint16_t>(ports.first + node);
        const auto problem = listening_problem("127.0.0.1", port);
        if (problem.empty()) continue;
        return fmt::format("{} {}: node {} cannot have port {}: {}; ss -ltnp shows who has it", ports.flag, ports.first,
                           node, port, problem);
    }
    return {};
}

/// One port must not be given twice.
std::string overlap_of(const std::vector<Ports>& all, std::uint64_t nodes) {
    for (const auto& one : all) {
        for (const auto& other : all) {
            if (one.flag == other.flag || other.first < one.first || other.first >= one.first + nodes) continue;
            return fmt::format("{} {}: {} {} has ports of it; leave {} between them", other.flag, other.first, one.flag,
                               one.first, nodes);
        }
    }
    return {};
}

}  // namespace

std::filesystem::path program_folder() {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

std::string LocalRing::problem_of(const Options& options) {
    if (options.nodes == 0 || options.nodes > limits::nodes_max) {
        return fmt::format("--nodes {}: 1 to {} are allowed", options.nodes, limits::nodes_max);
    }
    const auto all = ports_of(options);
    for (const auto& ports : all) {
        if (auto problem = command::problem_of(ports, options.nodes); !problem.empty()) return problem;
    }
    return overlap_of(all, options.nodes);
}

std::map<std::string, std::string> LocalRing::environment_of(std::uint64_t node) const {
    std::string peers;
    for (std::uint64_t id = 0; id < options_.nodes; ++id) {
        peers += fmt::format("{}{}=127.0.0.1:{}", id == 0 ? "" : ",", id, options_.cluster_base_port + id);
    }
    return {{"ID", std::to_string(node)},
            {"PORT", std::to_string(options_.base_port + node)},
            {"CLUSTER_PORT", std::to_string(options_.cluster_base_port + node)},
            {"ANEL_PEERS", peers},
            {"ANEL_DATA", options_.data.string()},
            {"ANEL_HTTP_PORT", std::to_string(options_.http_base_port == 0 ? 0 : options_.http_base_port + node)},
            {"ANEL_LINGER_MS", std::to_string(options_.linger_ms)}};
}

std::string LocalRing::start() {
    for (std::uint64_t node = 0; node < options_.nodes; ++node) {
        if (auto problem = start_node(node); !problem.empty()) return problem;
    }
    return {};
}

std::string LocalRing::start_node(std::uint64_t node) {
    return children_.start({fmt::format("node {}", node),
                            {(program_folder() / "aneld").string()},
                            environment_of(node),
                            options_.logs / fmt::format("node_{}.log", node)});
}

bool LocalRing::wait_serving(std::chrono::milliseconds most, const std::function<void(const Children::Child&)>& ended) {
    const auto nodes = client::parse_nodes(addresses());
    const auto until = std::chrono::steady_clock::now() + most;
    while (!signalled() && std::chrono::steady_clock::now() < until && children_.any_running("node")) {
        const auto answers = ask_all(*nodes, 300);
        if (all_serving(answers) && health_of(answers) == Health::healthy) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        children_.reap(ended);
    }
    return false;
}

std::string LocalRing::addresses() const {
    return fmt::format("127.0.0.1:{}..{}", options_.base_port, options_.base_port + options_.nodes - 1);
}

}  // namespace anel::command

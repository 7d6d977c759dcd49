#include "client/command/local_ring.hpp"

#include <fmt/format.h>

#include <thread>

#include "client/command/ask_nodes.hpp"
#include "client/command/commands.hpp"
#include "client/options.hpp"
#include "common/limits.hpp"

namespace anel::command {

std::filesystem::path program_folder() {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

std::string LocalRing::problem_of(const Options& options) {
    if (options.nodes == 0 || options.nodes > limits::nodes_max) {
        return fmt::format("--nodes {}: 1 to {} are allowed", options.nodes, limits::nodes_max);
    }
    for (const auto base : {options.base_port, options.cluster_base_port}) {
        if (base == 0 || base + options.nodes > 65536) return fmt::format("port {}: 1 to 65535 are allowed", base);
    }
    return {};
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

bool LocalRing::wait_serving(std::chrono::milliseconds most,
                             const std::function<void(const Children::Child&)>& ended) {
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

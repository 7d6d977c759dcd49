#include "client/command/bench/ring.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <thread>

#include "client/command/ask_nodes.hpp"
#include "client/command/commands.hpp"

namespace anel::command::bench {

using namespace std::chrono_literals;

void pause(std::chrono::duration<double> time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (!signalled() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(5ms);
}

std::string Ring::prepare() {
    if (!ours()) {
        const auto nodes = client::parse_nodes(options_.to);
        return nodes ? std::string{} : "--to: " + nodes.error().text;
    }
    own_folder_ = options_.data.empty();
    if (own_folder_) {
        std::string pattern = (std::filesystem::temp_directory_path() / "anel-bench-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) return "no folder can be made in " + pattern;
        folder_ = pattern;
    } else {
        folder_ = options_.data;
    }
    std::error_code error;
    std::filesystem::create_directories(data(), error);
    const LocalRing::Options ring{.nodes = options_.nodes,
                                  .base_port = options_.base_port,
                                  .cluster_base_port = options_.cluster_base_port,
                                  .data = data(),
                                  .logs = folder_,
                                  .linger_ms = 0};
    processes_.emplace(ring, children_);
    return LocalRing::problem_of(ring);
}

std::string Ring::start() {
    if (!ours()) return {};
    if (auto problem = processes_->start(); !problem.empty()) return problem;
    if (!wait_whole()) return "the ring did not form within 20 s; logs in " + folder_.string();
    return {};
}

bool Ring::wait_whole() {
    return processes_->wait_serving(20s, [](const Children::Child&) {});
}

std::string Ring::start_node(std::uint64_t node) { return processes_->start_node(node); }

bool Ring::verify() {
    const auto log = folder_ / "verify.log";
    const auto program = (program_folder() / "anel").string();
    std::vector<std::string> command{program, "verify", data().string()};
    if (thinned_) command.emplace_back("--journal");
    const auto problem = children_.start({"verify", command, {}, log});
    int code = -1;
    while (problem.empty() && children_.any_running("verify")) {
        std::this_thread::sleep_for(5ms);
        children_.reap([&](const Children::Child& child) { code = child.exit_code; });
    }
    if (code != 0) fmt::print(stderr, "anel bench: the file is wrong {}; see {}\n", problem, log.string());
    return code == 0;
}

void Ring::tidy() {
    std::error_code ignored;
    if (own_folder_) std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> Ring::addresses() const {
    return *client::parse_nodes(ours() ? processes_->addresses() : options_.to);
}

client::Options Ring::client_options(std::uint64_t number, bool all_nodes) const {
    client::Options options;
    const auto nodes = addresses();
    options.nodes = all_nodes ? nodes : std::vector{nodes[number % nodes.size()]};
    options.first_node = all_nodes ? number % nodes.size() : 0;
    options.client_id = fmt::format("bench-{}", number);
    options.batch_messages = options_.batch;
    options.window_messages = options_.window;
    return options;
}

std::optional<std::uint64_t> Ring::holder() const {
    const auto answers = ask_all(addresses(), 300);
    for (std::uint64_t node = 0; node < answers.size(); ++node) {
        if (answers[node].status && answers[node].status->value("holder", false)) return node;
    }
    return std::nullopt;
}

pid_t Ring::pid_of(std::uint64_t node) const {
    pid_t pid = 0;
    for (const auto& child : children_.all()) {
        if (child.name == fmt::format("node {}", node) && child.running) pid = child.pid;
    }
    return pid;
}

std::vector<pid_t> Ring::pids() const {
    std::vector<pid_t> all;
    for (std::uint64_t node = 0; node < options_.nodes; ++node) all.push_back(pid_of(node));
    return all;
}

}  // namespace anel::command::bench

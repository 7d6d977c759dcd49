// `anel bench`: how fast a ring on this machine is, and how long acks stop when a node does. Always verifies the file.
#include <fmt/format.h>

#include <array>

#include "client/command/bench/kinds.hpp"
#include "client/command/commands.hpp"

namespace anel::command {
namespace bench {
namespace {

constexpr int exit_wrong = 1;

struct Kind {
    const char* name;
    Measure measure;
};
constexpr std::array kinds{Kind{"throughput", throughput}, Kind{"latency", latency}, Kind{"failover", failover}};

std::vector<std::string> names_of_kinds() {
    std::vector<std::string> names;
    for (const auto& kind : kinds) names.emplace_back(kind.name);
    return names;
}

Measure measure_of(const std::string& name) {
    return std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.name == name; })->measure;
}

void print(const Options& options, const nlohmann::json& result) {
    if (options.json) {
        const nlohmann::json all{{"bench", options.kind},   {"nodes", options.nodes}, {"clients", options.clients},
                                 {"size", options.size},    {"batch", options.batch}, {"window", options.window},
                                 {"result", result}};
        fmt::print("{}\n", all.dump(2));
        return;
    }
    fmt::print("{}: {} nodes, {} clients, {} bytes a message, batches of {}, window {}\n", options.kind, options.nodes,
               options.clients, options.size, options.batch, options.window);
    for (const auto& [name, value] : result.items()) fmt::print("  {:<24} {}\n", name, value.dump());
}

int run(const Options& options) {
    catch_signals();
    if (options.clients == 0 || options.size == 0 || options.seconds <= 0 || options.times == 0) {
        return fail("bench", "--clients, --size, --seconds and --times: more than 0 is allowed", exit_usage);
    }
    Ring ring{options};
    if (const auto problem = ring.prepare(); !problem.empty()) return fail("bench", problem, exit_usage);
    if (const auto problem = ring.start(); !problem.empty()) return fail("bench", problem, exit_wrong);
    auto result = nlohmann::json::object();
    const bool measured = measure_of(options.kind)(ring, options, result);
    ring.stop();
    const bool verified = ring.verify();
    result["verified"] = verified;
    print(options, result);
    if (!measured || !verified) return exit_wrong;
    ring.tidy();
    return exit_success;
}

}  // namespace
}  // namespace bench

void add_bench(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<bench::Options>();
    auto& command = *app.add_subcommand("bench", "Measure a ring of processes on this machine, and verify its file");
    command.add_option("kind", options->kind, "What to measure")
        ->check(CLI::IsMember(bench::names_of_kinds()))
        ->capture_default_str();
    command.add_option("--nodes", options->nodes, "How many nodes")->capture_default_str();
    command.add_option("--clients", options->clients, "How many clients")->capture_default_str();
    command.add_option("--size", options->size, "Bytes of a message")->capture_default_str();
    command.add_option("--batch", options->batch, "Messages of a batch at most")->capture_default_str();
    command.add_option("--window", options->window, "Messages in flight of a client at most")->capture_default_str();
    command.add_option("--seconds", options->seconds, "How long to measure")->capture_default_str();
    command.add_option("--times", options->times, "failover: how many kills, and how many pauses")->capture_default_str();
    command.add_option("--base-port", options->base_port, "Client port of node 0")->capture_default_str();
    command.add_option("--cluster-base-port", options->cluster_base_port, "Cluster port of node 0")->capture_default_str();
    command.add_option("--data", options->data, "Keep the ring's files in this folder")->type_name("DIR");
    command.add_flag("--json", options->json, "Print JSON");
    command.footer(
        "Exit code: 0 measured and the file is right, 1 not, or acks stopped for longer than promised, 2 usage.\n\n"
        "Example:\n  anel bench throughput --size 1024 --seconds 10");
    command.callback([options, &exit_code] { exit_code = bench::run(*options); });
}

}  // namespace anel::command

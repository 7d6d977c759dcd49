// `anel bench`: how fast a ring on this machine is, and how long acks stop when a node does. Always verifies the file.
#include <sys/resource.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "client/command/bench/kinds.hpp"
#include "client/command/bench/summary.hpp"
#include "client/command/commands.hpp"

namespace anel::command {
namespace bench {
namespace {

constexpr int exit_wrong = 1;

struct Kind {
    const char* name;
    Measure measure;
    bool foreign;  ///< also for nodes that somebody else started
};
constexpr std::array kinds{Kind{"throughput", throughput, true}, Kind{"latency", latency, true},
                           Kind{"idle", idle, false}, Kind{"failover", failover, false},
                           Kind{"flapping", flapping, false}};
constexpr const char* scale = "scale";

/// What `scale` changes from ring to ring.
struct Axis {
    const char* name;
    std::vector<std::uint64_t> values;
    void (*set)(Options& options, std::uint64_t value);
};
const std::array axes{
    Axis{"nodes", {3, 5, 9, 17, 33}, [](Options& options, std::uint64_t value) { options.nodes = value; }},
    Axis{"clients", {1, 5, 25, 100, 1000}, [](Options& options, std::uint64_t value) { options.clients = value; }},
    Axis{"size", {16, 100, 1024, 4096, 16384, 65536, 262144, 1048576}, [](Options& options, std::uint64_t value) {
             options.size = value;
         }}};

template <class Array>
std::vector<std::string> names_of(const Array& all) {
    std::vector<std::string> names;
    for (const auto& one : all) names.emplace_back(one.name);
    return names;
}

/// One ring, one measurement.
/// @return the exit code; `result` has what was measured when it is 0 or `exit_wrong`.
int run_once(const Options& options, nlohmann::json& result) {
    const auto& kind =
        *std::find_if(kinds.begin(), kinds.end(), [&](const Kind& one) { return one.name == options.kind; });
    Ring ring{options};
    if (!ring.ours() && !kind.foreign) {
        return fail("bench", fmt::format("--to: {} needs a ring of its own", options.kind), exit_usage);
    }
    if (const auto problem = ring.prepare(); !problem.empty()) return fail("bench", problem, exit_usage);
    if (const auto problem = ring.start(); !problem.empty()) return fail("bench", problem, exit_wrong);
    const bool measured = kind.measure(ring, options, result);
    ring.stop();
    if (!ring.ours()) return measured ? exit_success : exit_wrong;
    const bool verified = ring.verify();
    result["verified"] = verified;
    if (!measured || !verified) return exit_wrong;
    ring.tidy();
    return exit_success;
}

/// As many rings, one after the other, as runs are asked for. A folder that was given gets one of its own for each.
int run_all(const Options& options, std::vector<nlohmann::json>& results) {
    int code = exit_success;
    for (std::uint64_t number = 0; number < options.runs && code == exit_success && !signalled(); ++number) {
        auto one = options;
        if (options.runs > 1 && !options.data.empty()) one.data += fmt::format("/run-{}", number + 1);
        auto result = nlohmann::json::object();
        code = run_once(one, result);
        if (!result.empty()) results.push_back(std::move(result));
    }
    return code;
}

nlohmann::json described(const Options& options, const std::vector<nlohmann::json>& results) {
    return {{"bench", options.kind}, {"nodes", options.nodes},       {"clients", options.clients},
            {"size", options.size},  {"batch", options.batch},       {"window", options.window},
            {"rate", options.rate},  {"result", median_of(results)}, {"runs", results}};
}

int run_kind(const Options& options) {
    std::vector<nlohmann::json> results;
    const int code = run_all(options, results);
    if (results.empty()) return code;
    if (options.json) {
        fmt::print("{}\n", described(options, results).dump(2));
        return code;
    }
    fmt::print("{}: {} nodes, {} clients, {} bytes a message, batches of {}, window {}, {} of {} s\n{}", options.kind,
               options.nodes, options.clients, options.size, options.batch, options.window,
               results.size() == 1 ? "1 run" : fmt::format("{} runs", results.size()), options.seconds,
               text_of(results));
    return code;
}

/// Throughput of ring after ring, with more and more of one thing.
int run_scale(const Options& options) {
    const auto& axis = *std::find_if(axes.begin(), axes.end(), [&](const Axis& one) { return one.name == options.by; });
    auto all = nlohmann::json::array();
    for (const auto value : axis.values) {
        auto one = options;
        one.kind = "throughput";
        axis.set(one, value);
        if (!options.data.empty()) one.data += fmt::format("/{}-{}", axis.name, value);
        std::vector<nlohmann::json> results;
        if (const int code = run_all(one, results); code != exit_success) return code;
        all.push_back(described(one, results));
    }
    if (options.json) {
        fmt::print("{}\n", all.dump(2));
        return exit_success;
    }
    const auto rate_of = [](const nlohmann::json& one) { return one["result"]["messages_per_second"].get<double>(); };
    double highest = 1;
    for (const auto& one : all) highest = std::max(highest, rate_of(one));
    for (const auto& one : all) {
        fmt::print("  {:>7} {} {:>9.0f} messages/s {:>7.1f} MB/s {}\n", one[axis.name].get<std::uint64_t>(), axis.name,
                   rate_of(one), one["result"]["megabytes_per_second"].get<double>(), bar(rate_of(one) / highest, 40));
    }
    return exit_success;
}

std::uint64_t descriptors_max() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

/// A client has its own wake-up, a socket with its mailbox, a monitor with two, and a connection.
std::uint64_t clients_max() {
    constexpr std::uint64_t of_a_client = 6;
    constexpr std::uint64_t of_the_bench = 100;
    const auto all = descriptors_max();
    return all > of_the_bench ? (all - of_the_bench) / of_a_client : 0;
}

int run(const Options& options) {
    catch_signals();
    if (options.clients == 0 || options.size == 0 || options.seconds <= 0 || options.times == 0 || options.runs == 0) {
        return fail("bench", "--clients, --size, --seconds, --times and --runs: more than 0 is allowed", exit_usage);
    }
    if (options.rate < 0) return fail("bench", "--rate: 0 or more is allowed", exit_usage);
    if (const auto most = clients_max(); options.clients > most) {
        return fail("bench",
                    fmt::format("--clients {}: {} are allowed where a process may have {} descriptors (ulimit -n)",
                                options.clients, most, descriptors_max()),
                    exit_usage);
    }
    try {
        return options.kind == scale ? run_scale(options) : run_kind(options);
    } catch (const std::invalid_argument& error) {
        return fail("bench", error.what(), exit_wrong);
    }
}

}  // namespace
}  // namespace bench

void add_bench(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<bench::Options>();
    auto& command = *app.add_subcommand("bench", "Measure a ring of processes on this machine, and verify its file");
    auto names = bench::names_of(bench::kinds);
    names.emplace_back(bench::scale);
    command.add_option("kind", options->kind, "What to measure; scale is throughput with more and more of one thing")
        ->check(CLI::IsMember(names))
        ->capture_default_str();
    command.add_option("--nodes", options->nodes, "How many nodes")->capture_default_str();
    command.add_option("--clients", options->clients, "How many clients")->capture_default_str();
    command.add_option("--size", options->size, "Bytes of a message")->capture_default_str();
    command.add_option("--batch", options->batch, "Messages of a batch at most")->capture_default_str();
    command.add_option("--window", options->window, "Messages in flight of a client at most")->capture_default_str();
    command.add_option("--rate", options->rate, "Messages a second of all clients together; 0: as fast as they may")
        ->capture_default_str();
    command.add_option("--runs", options->runs, "How often to measure; the medians are told")->capture_default_str();
    command.add_option("--by", options->by, "scale: of what")
        ->check(CLI::IsMember(bench::names_of(bench::axes)))
        ->capture_default_str();
    command.add_option("--seconds", options->seconds, "How long to measure")->capture_default_str();
    command.add_option("--times", options->times, "failover: how many kills, and how many pauses")
        ->capture_default_str();
    command.add_option("--base-port", options->base_port, "Client port of node 0")->capture_default_str();
    command.add_option("--cluster-base-port", options->cluster_base_port, "Cluster port of node 0")
        ->capture_default_str();
    command.add_option("--to", options->to, "Measure nodes that run already; their file is not verified")
        ->type_name("LIST");
    command.add_option("--data", options->data, "Keep the ring's files in this folder")->type_name("DIR");
    command.add_flag("--json", options->json, "Print JSON");
    command.footer(
        "Exit code: 0 measured and the file is right, 1 not, or acks stopped for longer than promised, or the view\n"
        "changed under full load (flapping), 2 usage.\n\n"
        "Examples:\n  anel bench throughput --size 1024 --seconds 10 --runs 3\n"
        "  anel bench throughput --rate 200000     latency under a load that leaves room\n"
        "  anel bench latency                      one message in flight, with a picture\n"
        "  anel bench scale --by size --seconds 3\n"
        "  anel bench flapping --seconds 3600      full load; fails when the view changes; frees disk space meanwhile");
    command.callback([options, &exit_code] { exit_code = bench::run(*options); });
}

}  // namespace anel::command

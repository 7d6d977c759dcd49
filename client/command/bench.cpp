// `anel bench`: how fast a ring on this machine is, and how long acks stop when a node does. Always verifies the file.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <list>
#include <nlohmann/json.hpp>
#include <thread>

#include "client/client.hpp"
#include "client/command/ask_nodes.hpp"
#include "client/command/commands.hpp"
#include "client/command/local_ring.hpp"

namespace anel::command {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr int exit_wrong = 1;

struct BenchOptions {
    std::string kind = "throughput";
    std::uint64_t nodes = 5;
    std::uint64_t clients = 5;
    std::size_t size = 100;
    std::uint32_t batch = 256;
    std::size_t window = 16 * 256;
    double seconds = 10;
    std::uint64_t times = 20;
    std::uint64_t base_port = 25000;
    std::uint64_t cluster_base_port = 26000;
    std::string data;
    bool json = false;
};

/// Sorted samples in microseconds, and what people ask of them.
struct Samples {
    std::vector<std::int64_t> us;
    void add(steady_clock::duration took) {
        us.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    }
    [[nodiscard]] std::int64_t percentile(double share) const {
        if (us.empty()) return 0;
        auto sorted = us;
        const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
        std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
        return sorted[static_cast<std::size_t>(rank)];
    }
    [[nodiscard]] nlohmann::json summary() const {
        return {{"count", us.size()}, {"p50_us", percentile(0.5)}, {"p99_us", percentile(0.99)}, {"max_us", percentile(1)}};
    }
};

/// Durable messages so far, and when the last of them was.
struct Acked {
    std::atomic<std::uint64_t> messages{0};
    std::atomic<std::int64_t> last_us{0};
    std::atomic<std::uint64_t> failed{0};

    static std::int64_t now_us() {
        return std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch()).count();
    }
    void settled(const client::Settled& run) {
        const auto count = run.last.value - run.first.value + 1;
        if (!std::holds_alternative<client::Durable>(run.outcome)) {
            failed += count;
            return;
        }
        messages += count;
        last_us = now_us();
    }
};

/// A client that pushes as fast as it may, on a thread of its own.
class Producer {
public:
    Producer(client::Options options, std::size_t size, Acked& acked) : payload_(size, 'x') {
        options.on_settled = [&acked](const client::Settled& run) { acked.settled(run); };
        client_.emplace(std::move(options));
        thread_ = std::thread{[this] {
            Timestamp time = 0;
            while (!stop_) {
                if (!client_->post(payload_, ++time)) (void)client_->wait_for_room(100ms);
            }
        }};
    }
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;
    ~Producer() {
        stop_ = true;
        thread_.join();
    }
    /// @return all that was pushed is settled.
    bool finish() {
        stop_ = true;
        return client_->flush(30s);
    }

private:
    std::string payload_;
    std::optional<client::Client> client_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

class Bench {
public:
    explicit Bench(const BenchOptions& options) : options_{options} {}

    int run() {
        catch_signals();
        if (const auto problem = prepare(); !problem.empty()) return fail("bench", problem, exit_usage);
        if (const auto problem = ring_->start(); !problem.empty()) return fail("bench", problem, exit_wrong);
        if (!ring_->wait_serving(20s, [](const Children::Child&) {})) {
            return fail("bench", "the ring did not form within 20 s; logs in " + folder_.string(), exit_wrong);
        }
        bool right = false;
        if (options_.kind == "throughput") right = throughput();
        else if (options_.kind == "latency") right = latency();
        else right = failover();
        children_.stop("node", 10s);
        right = verify() && right;
        print();
        std::error_code ignored;
        if (right && own_folder_) std::filesystem::remove_all(folder_, ignored);
        return right ? exit_success : exit_wrong;
    }

private:
    std::string prepare() {
        if (options_.clients == 0 || options_.size == 0 || options_.seconds <= 0 || options_.times == 0) {
            return "--clients, --size, --seconds and --times: more than 0 is allowed";
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
        std::filesystem::create_directories(folder_ / "data", error);
        const LocalRing::Options ring{.nodes = options_.nodes,
                                      .base_port = options_.base_port,
                                      .cluster_base_port = options_.cluster_base_port,
                                      .data = folder_ / "data",
                                      .logs = folder_,
                                      .linger_ms = 0};
        ring_.emplace(ring, children_);
        return LocalRing::problem_of(ring);
    }

    [[nodiscard]] client::Options client_options(std::uint64_t number, bool all_nodes) const {
        client::Options options;
        options.nodes = all_nodes ? *client::parse_nodes(ring_->addresses())
                                  : std::vector{ring_->address_of(number % options_.nodes)};
        options.first_node = all_nodes ? number % options_.nodes : 0;
        options.client_id = fmt::format("bench-{}", number);
        options.batch_messages = options_.batch;
        options.window_messages = options_.window;
        return options;
    }

    /// All clients push as fast as they may.
    bool throughput() {
        Acked acked;
        std::list<Producer> producers;
        for (std::uint64_t number = 0; number < options_.clients; ++number) {
            producers.emplace_back(client_options(number, false), options_.size, acked);
        }
        pause(1s);  // the first second warms up and does not count
        const auto first = acked.messages.load();
        const auto begun = steady_clock::now();
        pause(std::chrono::duration<double>(options_.seconds));
        const std::chrono::duration<double> took = steady_clock::now() - begun;
        const auto messages = acked.messages.load() - first;
        bool settled = true;
        for (auto& producer : producers) settled = producer.finish() && settled;
        const double rate = static_cast<double>(messages) / took.count();
        result_ = {{"messages_per_second", std::llround(rate)},
                   {"megabytes_per_second", rate * static_cast<double>(options_.size) / 1e6},
                   {"messages", messages},
                   {"seconds", took.count()},
                   {"not_durable", acked.failed.load()}};
        return settled && acked.failed == 0 && messages > 0;
    }

    /// One client, one message in flight, back to back: at the node where the token parks, and at another one.
    bool latency() {
        bool right = true;
        for (const bool at_holder : {true, false}) {
            auto options = client_options(at_holder ? 0 : options_.nodes / 2, false);
            options.client_id += at_holder ? "-holder" : "-other";
            client::Client client{options};
            const std::string payload(options_.size, 'x');
            Samples samples;
            for (int message = 0; message < 100; ++message) (void)client.push(payload, message).get();
            const auto until = steady_clock::now() + std::chrono::duration<double>(options_.seconds / 2);
            while (steady_clock::now() < until && !signalled()) {
                const auto begun = steady_clock::now();
                right = std::holds_alternative<client::Durable>(client.push(payload, 1).get()) && right;
                samples.add(steady_clock::now() - begun);
            }
            result_[at_holder ? "client_at_node_0" : "client_at_another_node"] = samples.summary();
        }
        return right;
    }

    /// Acks of all clients together stop for so long when the holder is killed, and when a node is paused.
    bool failover() {
        Acked acked;
        std::list<Producer> producers;
        for (std::uint64_t number = 0; number < options_.clients; ++number) {
            producers.emplace_back(client_options(number, true), options_.size, acked);
        }
        bool right = true;
        for (const int signal : {SIGKILL, SIGSTOP}) {
            Samples gaps;
            for (std::uint64_t time = 0; time < options_.times && right && !signalled(); ++time) {
                pause(300ms);
                right = hit_holder(signal, acked, gaps);
            }
            result_[signal == SIGKILL ? "holder_killed" : "node_paused"] = gaps.summary();
        }
        for (auto& producer : producers) right = producer.finish() && right;
        result_["messages"] = acked.messages.load();
        return right && acked.failed == 0;
    }

    /// @return the ring is whole again.
    bool hit_holder(int signal, const Acked& acked, Samples& gaps) {
        const auto victim = holder();
        const auto pid = pid_of(victim);
        if (pid <= 0) return false;
        ::kill(pid, signal);
        gaps.add(longest_gap(acked, 1500ms));
        if (signal == SIGSTOP) {
            ::kill(pid, SIGCONT);
        } else {
            children_.reap([](const Children::Child&) {});
            if (!ring_->start_node(victim).empty()) return false;
        }
        return ring_->wait_serving(20s, [](const Children::Child&) {});
    }

    static steady_clock::duration longest_gap(const Acked& acked, steady_clock::duration most) {
        const auto until = Acked::now_us() + std::chrono::duration_cast<std::chrono::microseconds>(most).count();
        std::int64_t last = acked.last_us;
        std::int64_t longest = 0;
        for (std::int64_t now = last; now < until; now = Acked::now_us()) {
            std::this_thread::sleep_for(200us);
            const std::int64_t latest = acked.last_us;
            longest = std::max(longest, (latest != last ? latest : Acked::now_us()) - last);
            last = latest;
        }
        return std::chrono::microseconds{longest};
    }

    [[nodiscard]] std::uint64_t holder() const {
        const auto answers = ask_all(*client::parse_nodes(ring_->addresses()), 300);
        for (std::uint64_t node = 0; node < answers.size(); ++node) {
            if (answers[node].status && answers[node].status->value("holder", false)) return node;
        }
        return static_cast<std::uint64_t>(client::random_number()) % options_.nodes;
    }

    [[nodiscard]] pid_t pid_of(std::uint64_t node) const {
        pid_t pid = 0;
        for (const auto& child : children_.all()) {
            if (child.name == fmt::format("node {}", node) && child.running) pid = child.pid;
        }
        return pid;
    }

    void pause(std::chrono::duration<double> time) {
        const auto until = steady_clock::now() + time;
        while (!signalled() && steady_clock::now() < until) std::this_thread::sleep_for(5ms);
    }

    bool verify() {
        // By the command that people use, in a process of its own: it shares nothing with what was measured.
        const auto log = folder_ / "verify.log";
        const auto program = (program_folder() / "anel").string();
        auto problem = children_.start({"verify", {program, "verify", (folder_ / "data").string()}, {}, log});
        int code = -1;
        while (problem.empty() && children_.any_running("verify")) {
            std::this_thread::sleep_for(5ms);
            children_.reap([&](const Children::Child& child) { code = child.exit_code; });
        }
        result_["verified"] = code == 0;
        if (code != 0) fmt::print(stderr, "anel bench: the file is wrong {}; see {}\n", problem, log.string());
        return code == 0;
    }

    void print() const {
        nlohmann::json all{{"bench", options_.kind},   {"nodes", options_.nodes}, {"clients", options_.clients},
                           {"size", options_.size},    {"batch", options_.batch}, {"window", options_.window},
                           {"result", result_}};
        if (options_.json) {
            fmt::print("{}\n", all.dump(2));
            return;
        }
        fmt::print("{}: {} nodes, {} clients, {} bytes a message, batches of {}, window {}\n", options_.kind,
                   options_.nodes, options_.clients, options_.size, options_.batch, options_.window);
        for (const auto& [name, value] : result_.items()) fmt::print("  {:<24} {}\n", name, value.dump());
    }

    const BenchOptions& options_;
    Children children_;
    std::optional<LocalRing> ring_;
    std::filesystem::path folder_;
    bool own_folder_ = false;
    nlohmann::json result_ = nlohmann::json::object();
};

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<BenchOptions>();
    auto& command = *app.add_subcommand("bench", "Measure a ring of processes on this machine, and verify its file");
    command.add_option("kind", options->kind, "throughput, latency or failover")
        ->check(CLI::IsMember({"throughput", "latency", "failover"}))
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
        "Exit code: 0 measured and the file is right, 1 not, 2 usage.\n\n"
        "Example:\n  anel bench throughput --size 1024 --seconds 10");
    command.callback([options, &exit_code] { exit_code = Bench{*options}.run(); });
}

}  // namespace anel::command

// `anel up`: a whole ring on this machine, without Docker.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include "client/command/children.hpp"
#include "client/command/commands.hpp"
#include "client/command/follower.hpp"
#include "client/command/local_ring.hpp"
#include "client/command/output_reader.hpp"
#include "client/command/print_json.hpp"

namespace anel::command {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct UpOptions {
    std::uint64_t nodes = 5;
    std::uint64_t clients = 5;
    std::string data = "shared_data";
    std::uint64_t base_port = 5000;
    std::uint64_t cluster_base_port = 6000;
    std::uint64_t http_base_port = 0;
    double seconds = 0;
    std::optional<std::uint64_t> linger_ms;
    std::uint64_t interval_ms = 1000;
    bool quiet = false;
    bool json = false;
};

constexpr auto client_stop_most = 3s;
constexpr auto node_stop_most = 10s;
constexpr auto form_most = 10s;

class Ring {
public:
    explicit Ring(const UpOptions& options) : options_{options} {}

    int run() {
        if (const auto problem = prepare(); !problem.empty()) return fail("up", problem, exit_usage);
        catch_signals();
        Follower follower{data_ / "output.txt"};
        if (follower.open()) follower.seek(follower.size());  // what stood there before is continued, not shown
        const auto begun = steady_clock::now();
        if (const auto problem = ring_->start(); !problem.empty()) return fail("up", problem, 1);
        // Each client shall find its own node; but a ring that lacks a node works too.
        (void)ring_->wait_serving(form_most, [&](const Children::Child& child) { tell_end(child); });
        if (const auto problem = start_clients(); !problem.empty()) return fail("up", problem, 1);
        while (!signalled() && !over(begun) && children_.any_running("node")) {
            show(follower);
            children_.reap([&](const Children::Child& child) { tell_end(child); });
            follower.wait(100ms);
        }
        if (!children_.any_running("node")) fmt::print(stderr, "anel up: no node is left\n");
        const std::chrono::duration<double> took = steady_clock::now() - begun;
        const bool all_died = !children_.any_running("node");
        children_.stop("client", client_stop_most);
        children_.stop("node", node_stop_most);
        show(follower);
        summary(took.count());
        return all_died ? 1 : exit_success;
    }

private:
    [[nodiscard]] bool over(steady_clock::time_point begun) const {
        return options_.seconds > 0 &&
               std::chrono::duration<double>(steady_clock::now() - begun).count() >= options_.seconds;
    }

    std::string prepare() {
        LocalRing::Options ring{.nodes = options_.nodes,
                                .base_port = options_.base_port,
                                .cluster_base_port = options_.cluster_base_port,
                                .http_base_port = options_.http_base_port,
                                .linger_ms = options_.linger_ms.value_or(options_.clients > 0 ? 1000 : 0)};
        if (auto problem = LocalRing::problem_of(ring); !problem.empty()) return problem;
        std::error_code error;
        programs_ = program_folder();
        if (programs_.empty()) return "its own program cannot be found";
        std::filesystem::create_directories(options_.data, error);
        if (error) return fmt::format("--data {}: {}", options_.data, error.message());
        data_ = std::filesystem::absolute(options_.data, error);
        auto pattern = (std::filesystem::temp_directory_path(error) / "anel-up-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) return fmt::format("{}: {}", pattern, std::strerror(errno));
        logs_ = pattern;
        ring.data = data_;
        ring.logs = logs_;
        ring_.emplace(std::move(ring), children_);
        return {};
    }

    std::string start_clients() {
        const auto nodes = ring_->addresses();
        for (std::uint64_t client = 0; client < options_.clients; ++client) {
            const auto number = std::to_string(client);
            const auto problem = children_.start(
                {"client " + number,
                 {(programs_ / "anel").string(), "demo", "--client", number, "--nodes", nodes, "--first-node",
                  std::to_string(client % options_.nodes), "--interval-ms", std::to_string(options_.interval_ms)},
                 {},
                 logs_ / fmt::format("client_{}.log", client)});
            if (!problem.empty()) return problem;
        }
        fmt::print(stderr, "anel up: {} nodes on {}, {} clients, {}; logs in {}; Ctrl-C stops all\n", options_.nodes,
                   nodes, options_.clients, (data_ / "output.txt").string(), logs_.string());
        if (options_.http_base_port != 0) {
            fmt::print(stderr, "anel up: the ring in a browser: http://127.0.0.1:{}/\n", options_.http_base_port);
        }
        return {};
    }

    void show(Follower& follower) {
        const auto change = follower.read([this](std::string_view bytes) {
            if (!options_.quiet && !options_.json) (void)std::fwrite(bytes.data(), 1, bytes.size(), stdout);
            cutter_.feed(bytes, [this](std::string_view line) { count(line); });
            return true;
        });
        if (change != Follower::Change::none) cutter_.clear();
        std::fflush(stdout);
    }

    void count(std::string_view line) {
        const auto shown = reader_.line(line);
        if (reader_.began_round() || (shown && std::holds_alternative<RoundEnded>(*shown))) ++rounds_;
        if (shown && std::holds_alternative<ShownMessage>(*shown)) ++messages_;
    }

    void tell_end(const Children::Child& child) const {
        fmt::print(stderr, "anel up: {} ended with {}; going on without it (log: {})\n", child.name, child.ending,
                   (logs_ / (child.name.substr(0, child.name.find(' ')) + "_" +
                             child.name.substr(child.name.find(' ') + 1) + ".log"))
                       .string());
    }

    void summary(double seconds) const {
        auto endings = nlohmann::ordered_json::object();
        for (const auto& child : children_.all()) endings[child.name] = child.ending;
        if (options_.json) {
            print_json_line({{"rounds", rounds_},
                             {"messages", messages_},
                             {"seconds", seconds},
                             {"endings", endings},
                             {"data", data_.string()},
                             {"logs", logs_.string()}});
            return;
        }
        std::string told;
        for (const auto& [name, ending] : endings.items()) {
            if (!name.starts_with("node")) continue;
            told += fmt::format("{}{}: {}", told.empty() ? "" : ", ", name, ending.get<std::string>());
        }
        fmt::print(stderr, "\nanel up: {} rounds, {} messages in {:.1f} s ({:.1f} messages/s)\n{}\nlogs in {}\n",
                   rounds_, messages_, seconds, static_cast<double>(messages_) / std::max(seconds, 0.001), told,
                   logs_.string());
    }

    const UpOptions& options_;
    Children children_;
    std::optional<LocalRing> ring_;
    std::filesystem::path programs_;
    std::filesystem::path data_;
    std::filesystem::path logs_;
    LineCutter cutter_;
    OutputReader reader_;
    std::uint64_t rounds_ = 0;
    std::uint64_t messages_ = 0;
};

}  // namespace

void add_up(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<UpOptions>();
    auto& command = *app.add_subcommand("up", "A whole ring on this machine, with clients, until Ctrl-C");
    command.add_option("--nodes", options->nodes, "How many nodes")->capture_default_str()->type_name("N");
    command.add_option("--clients", options->clients, "How many demo clients")->capture_default_str()->type_name("N");
    command.add_option("--data", options->data, "Folder of output.txt")->capture_default_str()->type_name("DIR");
    command.add_option("--base-port", options->base_port, "Client port of node 0; the others follow")
        ->capture_default_str();
    command.add_option("--cluster-base-port", options->cluster_base_port, "Cluster port of node 0; the others follow")
        ->capture_default_str();
    command
        .add_option("--http-base-port", options->http_base_port,
                    "Status page of node 0, for a browser; the others follow; 0: none")
        ->capture_default_str();
    command.add_option("--seconds", options->seconds, "Stop by itself after so long")->type_name("S");
    command
        .add_option("--linger-ms", options->linger_ms,
                    "How long a round waits for others' bids (default: 1000 with clients, else 0)")
        ->type_name("MS");
    command.add_option("--interval-ms", options->interval_ms, "Of the demo clients: one message each so often")
        ->capture_default_str();
    command.add_flag("--quiet", options->quiet, "Do not show output.txt");
    command.add_flag("--json", options->json, "Print what came of it as one JSON object instead of output.txt");
    command.footer(
        "Exit code: 0 it ran until it was told to stop, 1 a process could not be started or no node is left, 2 "
        "usage.\n\n"
        "Example: three nodes, three clients, for ten seconds\n"
        "  anel up --nodes 3 --clients 3 --data /tmp/ring --seconds 10");
    command.callback([options, &exit_code] { exit_code = Ring{*options}.run(); });
}

}  // namespace anel::command

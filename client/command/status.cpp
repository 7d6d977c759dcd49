// `anel status`: ask every node how it is, once or again and again.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "client/command/ask_nodes.hpp"
#include "client/command/commands.hpp"
#include "client/command/print_json.hpp"
#include "client/command/status_screen.hpp"
#include "client/options.hpp"

namespace anel::command {
namespace {

using std::chrono::steady_clock;

struct StatusOptions {
    std::string nodes;
    bool json = false;
    bool healthy = false;
    bool watch = false;
    int timeout_ms = 1000;
    int interval_ms = 1000;
};

nlohmann::json json_of(const std::vector<NodeAnswer>& answers, Health health) {
    auto nodes = nlohmann::json::array();
    for (const auto& answer : answers) {
        nlohmann::json one{{"address", answer.address}, {"answered", answer.status.has_value()}};
        if (answer.status) one["status"] = *answer.status;
        else one["problem"] = answer.problem;
        nodes.push_back(std::move(one));
    }
    return {{"ring", name_of(health)}, {"nodes", nodes}};
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// Asked before each frame, because a window changes its size.
Surface surface_of_output() {
    if (isatty(STDOUT_FILENO) != 1 || variable("TERM") == "dumb") return {};
    Surface surface{.in_place = true, .colours = variable("NO_COLOR").empty(), .columns = 80};
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) surface.columns = size.ws_col;
    return surface;
}

/// Until the next look is due or a signal has come. In slices: one that comes just before the wait does not end it.
void wait_until(steady_clock::time_point due) {
    while (!signalled()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - steady_clock::now()).count();
        if (left <= 0) return;
        (void)::poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(left, 100)));
    }
}

int watch(const StatusOptions& options, const std::vector<std::string>& nodes) {
    catch_signals();
    StatusScreen screen;
    for (auto due = steady_clock::now(); !signalled(); wait_until(due)) {
        due += std::chrono::milliseconds{options.interval_ms};
        const auto wall = std::chrono::system_clock::now();
        Look look{.answers = ask_all(nodes, options.timeout_ms),
                  .at_s = std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count(),
                  .clock = fmt::format("{:%H:%M:%S} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(wall)))};
        if (signalled()) break;
        if (options.json) {
            auto json = json_of(look.answers, health_of(look.answers));
            json["time_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
            print_json_line(json);
        } else {
            const auto surface = surface_of_output();
            // Where frames cannot be drawn over each other, a line stands between them.
            fmt::print("{}{}", screen.frame(look, surface), surface.in_place ? "" : "\n");
        }
        std::fflush(stdout);
        if (due < steady_clock::now())
            due = steady_clock::now();  // nodes were slow: looks that were missed are not made up for
    }
    return exit_success;
}

int run(const StatusOptions& options) {
    const auto nodes = client::parse_nodes(options.nodes);
    if (!nodes) return fail("status", "--nodes: " + nodes.error().text, exit_usage);
    if (options.timeout_ms <= 0) return fail("status", "--timeout-ms: 1 at least is allowed", exit_usage);
    if (options.interval_ms <= 0) return fail("status", "--interval-ms: 1 at least is allowed", exit_usage);
    if (options.watch) return watch(options, *nodes);
    const auto answers = ask_all(*nodes, options.timeout_ms);
    const auto health = health_of(answers);
    if (options.json) print_json(json_of(answers, health));
    else fmt::print("{}ring: {}\n", table_of(answers), name_of(health));
    if (options.healthy && all_serving(answers)) return exit_success;
    // A node that does not serve is never healthy, however the rest of the ring is.
    if (options.healthy && health == Health::healthy) return exit_code_of(Health::degraded);
    return exit_code_of(health);
}

}  // namespace

void add_status(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<StatusOptions>();
    auto& command = *app.add_subcommand("status", "Ask every node how it is");
    add_nodes_option(command, options->nodes);
    command.add_flag("--json", options->json, "Print all that the nodes say as JSON; with --watch one line a look");
    auto* healthy = command.add_flag("--healthy", options->healthy,
                                     "For health checks: 0 when each asked node is in a view and takes pushes");
    auto* watching = command.add_flag("--watch", options->watch, "Look again and again, until Ctrl-C");
    watching->excludes(healthy);
    command.add_option("--interval-ms", options->interval_ms, "With --watch: from look to look")
        ->capture_default_str()
        ->type_name("MS")
        ->needs(watching);
    command.add_option("--timeout-ms", options->timeout_ms, "How long to wait for an answer")
        ->capture_default_str()
        ->type_name("MS");
    command.footer(
        "Exit code: 0 healthy, 1 degraded, 2 usage, 3 no majority, 4 no node answered; with --watch 0.\n"
        "Colours are for terminals; NO_COLOR=1 turns them off.\n\n"
        "Examples:\n  anel status --nodes 127.0.0.1:5000,127.0.0.1:5001\n  anel status --watch");
    command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace anel::command

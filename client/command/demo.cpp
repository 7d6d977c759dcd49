// `anel demo`: one client of the demonstration, as in the reference system.
#include <fmt/format.h>

#include <random>
#include <thread>

#include "client/client.hpp"
#include "client/command/commands.hpp"
#include "client/random_number.hpp"

namespace anel::command {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using std::chrono::system_clock;

struct DemoOptions {
    std::uint64_t client = 0;
    std::string nodes;
    std::size_t first_node = 0;
    std::string id;
    std::uint64_t count = 0;
    std::uint64_t interval_ms = 1000;
};

microseconds wall() { return std::chrono::duration_cast<microseconds>(system_clock::now().time_since_epoch()); }

/// Sleeps to a moment of the wall clock in slices: a signal ends it, and a clock that jumps does not hold it.
void sleep_until(microseconds moment, microseconds most) {
    const auto begun = wall();
    while (!signalled()) {
        const auto now = wall();
        if (now >= moment || now < begun || now - begun > most) return;
        std::this_thread::sleep_for(std::min<microseconds>(moment - now, 50ms));
    }
}

/// Waits for the outcome as long as it takes; nothing when a signal came first.
std::optional<client::Outcome> wait_for(std::future<client::Outcome>& outcome) {
    while (outcome.wait_for(50ms) != std::future_status::ready) {
        if (signalled()) {
            // The ring may just be leaving: a moment for the ack that is on its way.
            if (outcome.wait_for(500ms) == std::future_status::ready) break;
            return std::nullopt;
        }
    }
    return outcome.get();
}

int run(const DemoOptions& options) {
    auto nodes = client::parse_nodes(options.nodes);
    if (!nodes) return fail("demo", "--nodes: " + nodes.error().text, exit_usage);
    client::Options wanted{.nodes = std::move(*nodes)};
    wanted.client_id = options.id.empty() ? fmt::format("client-{}", options.client) : options.id;
    wanted.first_node = options.first_node;
    catch_signals();
    auto started = client::Client::start(std::move(wanted));
    if (!started) return fail("demo", started.error().text, exit_usage);
    auto& client = **started;

    std::mt19937_64 random{client::random_number()};
    const microseconds interval = std::chrono::milliseconds{options.interval_ms};
    std::uniform_int_distribution<std::int64_t> within{0, std::max<std::int64_t>(interval.count() - 1, 0)};
    for (std::uint64_t number = 0; !signalled() && (options.count == 0 || number < options.count); ++number) {
        if (interval.count() > 0) {
            // A random moment of the next whole interval: five clients share each second without a clock of their own.
            const auto next = (wall() / interval + 1) * interval;
            sleep_until(next + microseconds{within(random)}, 2 * interval);
        }
        if (signalled()) break;
        const auto time = wall().count() % 1'000'000;
        auto pushed = client.push(fmt::format("client {} time: {} - message: {}", options.client, time, number), time);
        const auto outcome = wait_for(pushed);
        if (!outcome) break;
        if (const auto* refused = std::get_if<client::Refused>(&*outcome)) {
            return fail("demo", fmt::format("message {}: {}: {}", number, refused->code, refused->text), 1);
        }
        if (const auto* unknown = std::get_if<client::Unknown>(&*outcome)) {
            return fail("demo", fmt::format("message {}: outcome unknown: {}", number, unknown->why), 3);
        }
    }
    return exit_success;
}

}  // namespace

void add_demo(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<DemoOptions>();
    auto& command = *app.add_subcommand("demo", "One client of the demonstration: a message in each second");
    command.add_option("--client", options->client, "The K in its messages")->type_name("K");
    add_nodes_option(command, options->nodes);
    command.add_option("--first-node", options->first_node, "Which of the nodes to speak to first, from 0");
    command.add_option("--id", options->id, "Client id (default: client-K)")->type_name("ID");
    command.add_option("--count", options->count, "Stop after so many (default: never)")->type_name("N");
    command
        .add_option("--interval-ms", options->interval_ms,
                    "One message in each such interval; 0: the next as soon as the last is durable")
        ->capture_default_str()
        ->type_name("MS");
    command.footer(
        "Exit code: 0 all durable, or told to stop, 1 a message was refused, 2 usage, 3 the outcome of one is "
        "unknown.\n\n"
        "Example:\n  anel demo --client 2 --nodes 127.0.0.1:5000..5004 --count 10");
    command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace anel::command

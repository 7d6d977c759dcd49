// `anel status`: ask every node how it is.
#include <fmt/format.h>

#include "client/command/ask_nodes.hpp"
#include "client/command/commands.hpp"
#include "client/options.hpp"

namespace anel::command {
namespace {

struct StatusOptions {
    std::string nodes;
    bool json = false;
    bool healthy = false;
    int timeout_ms = 1000;
};

void print_json(const std::vector<NodeAnswer>& answers, Health health) {
    auto nodes = nlohmann::json::array();
    for (const auto& answer : answers) {
        nlohmann::json one{{"address", answer.address}, {"answered", answer.status.has_value()}};
        if (answer.status) one["status"] = *answer.status;
        else one["problem"] = answer.problem;
        nodes.push_back(std::move(one));
    }
    const nlohmann::json all{{"ring", name_of(health)}, {"nodes", nodes}};
    fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

int run(const StatusOptions& options) {
    const auto nodes = client::parse_nodes(options.nodes);
    if (!nodes) return fail("status", "--nodes: " + nodes.error().text, exit_usage);
    if (options.timeout_ms <= 0) return fail("status", "--timeout-ms: 1 at least is allowed", exit_usage);
    const auto answers = ask_all(*nodes, options.timeout_ms);
    const auto health = health_of(answers);
    if (options.json) print_json(answers, health);
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
    command.add_flag("--json", options->json, "Print all that the nodes say as JSON");
    command.add_flag("--healthy", options->healthy,
                     "For health checks: 0 when each asked node is in a view and takes pushes");
    command.add_option("--timeout-ms", options->timeout_ms, "How long to wait for an answer")->capture_default_str();
    command.footer(
        "Exit code: 0 healthy, 1 degraded, 2 usage, 3 no majority, 4 no node answered.\n\n"
        "Example:\n  anel status --nodes 127.0.0.1:5000,127.0.0.1:5001");
    command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace anel::command

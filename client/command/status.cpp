// `anel status`: ask every node how it is.
#include <fmt/format.h>

#include <future>
#include <zmq.hpp>

#include "client/command/commands.hpp"
#include "client/command/status_view.hpp"
#include "client/options.hpp"
#include "client/resolver.hpp"

namespace anel::command {
namespace {

struct StatusOptions {
    std::string nodes;
    bool json = false;
    bool healthy = false;
    int timeout_ms = 1000;
};

NodeAnswer ask(zmq::context_t& context, const std::string& address, int timeout_ms) {
    NodeAnswer answer{address, std::nullopt, "no answer"};
    const auto endpoint = client::resolve_now(*client::parse_address(address));
    if (!endpoint) {
        answer.problem = "the name is not known";
        return answer;
    }
    try {
        zmq::socket_t socket{context, zmq::socket_type::dealer};
        socket.set(zmq::sockopt::linger, 0);
        socket.set(zmq::sockopt::rcvtimeo, timeout_ms);
        socket.set(zmq::sockopt::ipv6, endpoint->find('[') != std::string::npos);
        socket.connect(*endpoint);
        const auto request = encode(StatusRequest{});
        (void)socket.send(zmq::buffer(request.data(), request.size()), zmq::send_flags::dontwait);
        zmq::message_t frame;
        if (!socket.recv(frame)) return answer;
        const auto reply = decode_reply({frame.data<std::byte>(), frame.size()});
        const auto* status = reply ? std::get_if<StatusReply>(&*reply) : nullptr;
        if (status == nullptr) {
            answer.problem = reply ? "an answer that is no status" : reply.error().text;
            return answer;
        }
        auto json = nlohmann::json::parse(status->json, nullptr, false);
        if (json.is_object()) answer.status = std::move(json);
        else answer.problem = "a status that is no JSON object";
    } catch (const zmq::error_t& error) {
        answer.problem = error.what();
    }
    return answer;
}

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
    zmq::context_t context{1};
    std::vector<std::future<NodeAnswer>> asked;
    for (const auto& node : *nodes) {
        asked.push_back(std::async(std::launch::async,
                                   [&context, &options, node] { return ask(context, node, options.timeout_ms); }));
    }
    std::vector<NodeAnswer> answers;
    for (auto& one : asked) answers.push_back(one.get());
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

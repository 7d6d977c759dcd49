#include "client/command/ask_nodes.hpp"

#include <future>
#include <zmq.hpp>

#include "client/address.hpp"
#include "client/resolver.hpp"
#include "common/client_protocol.hpp"

namespace anel::command {
namespace {

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
        const auto* status = reply && *reply ? std::get_if<StatusReply>(&**reply) : nullptr;
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

}  // namespace

std::vector<NodeAnswer> ask_all(const std::vector<std::string>& addresses, int timeout_ms) {
    zmq::context_t context{1};
    std::vector<std::future<NodeAnswer>> asked;
    for (const auto& address : addresses) {
        asked.push_back(std::async(std::launch::async,
                                   [&context, address, timeout_ms] { return ask(context, address, timeout_ms); }));
    }
    std::vector<NodeAnswer> answers;
    for (auto& one : asked) answers.push_back(one.get());
    return answers;
}

}  // namespace anel::command

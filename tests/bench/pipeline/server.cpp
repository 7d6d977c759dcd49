#include "tests/bench/pipeline/server.hpp"

#include <array>
#include <chrono>

#include "ring/core/output_format.hpp"

namespace anel::bench {
namespace {

/// Of one round, as a bid of the ring is limited; more waits in the socket.
constexpr std::size_t round_bytes_max = 1024 * 1024;

std::int64_t now_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

PipelineServer::PipelineServer(const std::string& folder) : router_{context_, zmq::socket_type::router}, log_{folder} {
    router_.set(zmq::sockopt::linger, 0);
    router_.set(zmq::sockopt::rcvhwm, 0);
    router_.set(zmq::sockopt::sndhwm, 0);
    router_.bind("tcp://127.0.0.1:*");
    const auto endpoint = router_.get(zmq::sockopt::last_endpoint);
    port_ = static_cast<std::uint16_t>(std::stoul(endpoint.substr(endpoint.rfind(':') + 1)));
    open_.round = Round{1};
}

void PipelineServer::run() {
    std::array<zmq::pollitem_t, 2> items{
        {{router_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, log_.syncer().descriptor(), ZMQ_POLLIN, 0}}};
    for (;;) {
        zmq::poll(items.data(), items.size());
        if ((items[1].revents & ZMQ_POLLIN) != 0) ack_durable();
        if ((items[0].revents & ZMQ_POLLIN) != 0) take_frames();
        if (open_.count > 0) close_round();
    }
}

void PipelineServer::take_frames() {
    zmq::message_t routing;
    zmq::message_t frame;
    while (open_.text.size() < round_bytes_max && router_.recv(routing, zmq::recv_flags::dontwait)) {
        if (!router_.recv(frame, zmq::recv_flags::none)) return;
        take(routing.to_string(), {static_cast<const std::byte*>(frame.data()), frame.size()});
    }
}

void PipelineServer::take(const std::string& routing, BytesView frame) {
    const auto request = decode_request(frame, limits::ClientLimits{});
    if (!request) return reply(routing, Reject{{}, {}, RejectCode::malformed, request.error().text});
    std::visit([&](const auto& one) { on(routing, one); }, *request);
}

void PipelineServer::on(const std::string& routing, const HelloRequest& hello) {
    auto& client = clients_[hello.client_id];
    client.routing = routing;
    reply(routing, Welcome{hello.client_id, client.last, NodeId{0}, {}});
}

void PipelineServer::on(const std::string& routing, const PushRequest& push) {
    const auto client = clients_.find(push.client_id);
    if (client == clients_.end() || client->second.last.next() != push.first) {
        return reply(routing, Reject{std::string{push.client_id}, push.first, RejectCode::gap, "not the next message"});
    }
    for (MessageReader messages{push}; messages.more();) {
        client->second.last = client->second.last.next();
        written_ = written_.next();
        append_message(open_.text, OutputFormat::classic,
                       {NodeId{0}, push.client_id, client->second.last, written_, open_.round, messages.next()});
        if (++open_.count == 1) open_.first = written_;
    }
    due_.push_back({open_.round, client->first, client->second.last, written_});
    client->second.in_round = true;
}

void PipelineServer::on(const std::string& routing, const ByeRequest& bye) {
    clients_.erase(bye.client_id);
    reply(routing, Byed{bye.client_id});
}

void PipelineServer::on(const std::string& routing, const StatusRequest&) { reply(routing, StatusReply{"{}"}); }

void PipelineServer::close_round() {
    append_round_end(open_.text, OutputFormat::classic);
    open_.wall_us = now_us();
    for (auto& [client_id, client] : clients_) {
        if (!client.in_round) continue;
        client.in_round = false;
        open_.changes.push_back(
            {client_id, Session{Instance{1}, Round{1}, client.last, written_, open_.round, open_.wall_us, {}}, {}});
    }
    log_.append(open_);
    open_.round = open_.round.next();
    open_.count = 0;
    open_.text.clear();
    open_.changes.clear();
}

void PipelineServer::ack_durable() {
    const auto durable = log_.syncer().durable();
    for (; !due_.empty() && due_.front().round <= durable; due_.pop_front()) {
        const auto& ack = due_.front();
        const auto client = clients_.find(ack.client_id);
        if (client == clients_.end()) continue;
        reply(client->second.routing, Ack{ack.client_id, ack.last, ack.sequence, ack.round});
    }
}

void PipelineServer::reply(const std::string& routing, const ClientReply& answer) {
    const auto bytes = encode(answer);
    router_.send(zmq::buffer(routing), zmq::send_flags::sndmore);
    router_.send(zmq::buffer(bytes), zmq::send_flags::none);
}

}  // namespace anel::bench

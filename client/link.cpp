#include "client/link.hpp"

#include <fmt/format.h>

#include <cstring>

namespace anel::client {
namespace {

int milliseconds(Duration duration) {
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

void release(void*, void* blob) { delete static_cast<Blob*>(blob); }

/// Hands the bytes to the library without a copy; they are never written again (Batch::frame).
zmq::message_t message_of(const Blob& frame) {
    auto owner = std::make_unique<Blob>(frame);
    auto* bytes = const_cast<std::byte*>(frame.bytes().data());
    zmq::message_t message{bytes, frame.size(), release, owner.get()};
    (void)owner.release();
    return message;
}

}  // namespace

std::optional<std::string> Link::open(const std::string& endpoint) {
    close();
    try {
        socket_ = zmq::socket_t{context_, zmq::socket_type::dealer};
        socket_.set(zmq::sockopt::linger, 0);
        socket_.set(zmq::sockopt::sndhwm, 0);  // the session's window is the limit
        socket_.set(zmq::sockopt::rcvhwm, 0);
        socket_.set(zmq::sockopt::ipv6, endpoint.find('[') != std::string::npos);
        socket_.set(zmq::sockopt::immediate, true);
        socket_.set(zmq::sockopt::handshake_ivl, milliseconds(timing_.connect_timeout()));
        socket_.set(zmq::sockopt::heartbeat_ivl, milliseconds(timing_.heartbeat_interval()));
        socket_.set(zmq::sockopt::heartbeat_timeout, milliseconds(timing_.heartbeat_timeout()));
        const auto where = fmt::format("inproc://anel-client-monitor-{}-{}", static_cast<const void*>(this), ++opened_);
        const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                           ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                           ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
        if (zmq_socket_monitor(socket_.handle(), where.c_str(), events) != 0)
            return std::string{zmq_strerror(zmq_errno())};
        monitor_ = zmq::socket_t{context_, zmq::socket_type::pair};
        monitor_.set(zmq::sockopt::linger, 0);
        monitor_.connect(where);
        socket_.connect(endpoint);
    } catch (const zmq::error_t& error) {
        close();
        return fmt::format("{}: {}", endpoint, error.what());
    }
    return std::nullopt;
}

void Link::close() {
    if (socket_) zmq_socket_monitor(socket_.handle(), nullptr, 0);
    monitor_.close();
    socket_.close();
}

void Link::send(const Blob& frame) {
    if (!socket_) return;
    try {
        // Where it cannot be queued the connection is going; its event or a time-out tells the session.
        (void)socket_.send(message_of(frame), zmq::send_flags::dontwait);
    } catch (const zmq::error_t&) {
        return;  // the same
    }
}

void Link::add_to(std::vector<zmq::pollitem_t>& items) {
    if (!socket_) return;
    items.push_back({socket_.handle(), 0, ZMQ_POLLIN, 0});
    items.push_back({monitor_.handle(), 0, ZMQ_POLLIN, 0});
}

std::optional<Input> Link::next_event() {
    zmq::message_t head;
    while (monitor_.recv(head, zmq::recv_flags::dontwait)) {
        zmq::message_t address;
        (void)monitor_.recv(address, zmq::recv_flags::dontwait);
        std::uint16_t event = 0;
        if (head.size() < sizeof event) continue;
        std::memcpy(&event, head.data(), sizeof event);
        switch (event) {
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return Connected{};
            case ZMQ_EVENT_DISCONNECTED: return Disconnected{"the connection dropped"};
            case ZMQ_EVENT_CLOSED:
            case ZMQ_EVENT_CONNECT_RETRIED: return Disconnected{"the connection was refused"};
            default: return Disconnected{"the handshake failed; is this a client port of a node?"};
        }
    }
    return std::nullopt;
}

std::optional<Input> Link::next_reply() {
    zmq::message_t frame;
    if (!socket_.recv(frame, zmq::recv_flags::dontwait)) return std::nullopt;
    auto reply = decode_reply({frame.data<std::byte>(), frame.size()});
    while (frame.more()) {
        if (!socket_.recv(frame, zmq::recv_flags::dontwait)) break;
    }
    if (!reply) return Disconnected{reply.error().text};
    return Replied{std::move(*reply)};
}

void Link::receive(std::size_t most, const std::function<void(Input)>& each) {
    // Replies that stand before a drop of the connection are read first: an ack in them is worth having.
    for (std::size_t count = 0; socket_ && count < most; ++count) {
        auto reply = next_reply();
        if (!reply) break;
        each(std::move(*reply));
    }
    while (socket_) {
        auto event = next_event();
        if (!event) break;
        each(std::move(*event));
    }
}

}  // namespace anel::client

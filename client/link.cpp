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
    const auto prepare = [this](zmq::socket_t& socket) {
        socket.set(zmq::sockopt::sndhwm, 0);  // the session's window is the limit
        socket.set(zmq::sockopt::rcvhwm, 0);
        socket.set(zmq::sockopt::immediate, true);
        socket.set(zmq::sockopt::handshake_ivl, milliseconds(timing_.connect_timeout()));
        socket.set(zmq::sockopt::heartbeat_ivl, milliseconds(timing_.heartbeat_interval()));
        socket.set(zmq::sockopt::heartbeat_timeout, milliseconds(timing_.heartbeat_timeout()));
    };
    try {
        dealer_.open(endpoint, Dealer::gone_events | ZMQ_EVENT_HANDSHAKE_SUCCEEDED, prepare);
    } catch (const zmq::error_t& error) {
        close();
        return fmt::format("{}: {}", endpoint, error.what());
    }
    return std::nullopt;
}

void Link::send(const Blob& frame) {
    if (!is_open()) return;
    try {
        // Where it cannot be queued the connection is going; its event or a time-out tells the session.
        (void)dealer_.socket().send(message_of(frame), zmq::send_flags::dontwait);
    } catch (const zmq::error_t&) {
        return;  // the same
    }
}

void Link::add_to(std::vector<zmq::pollitem_t>& items) {
    if (!is_open()) return;
    items.push_back({dealer_.socket().handle(), 0, ZMQ_POLLIN, 0});
    items.push_back({dealer_.monitor().handle(), 0, ZMQ_POLLIN, 0});
}

std::optional<Input> Link::next_event() {
    zmq::message_t head;
    while (dealer_.monitor().recv(head, zmq::recv_flags::dontwait)) {
        zmq::message_t address;
        (void)dealer_.monitor().recv(address, zmq::recv_flags::dontwait);
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
    while (dealer_.socket().recv(frame, zmq::recv_flags::dontwait)) {
        auto reply = decode_reply({frame.data<std::byte>(), frame.size()});
        while (frame.more()) {
            if (!dealer_.socket().recv(frame, zmq::recv_flags::dontwait)) break;
        }
        if (!reply) return Disconnected{reply.error().text};
        if (*reply) return Replied{std::move(**reply)};
        // Of a kind that nodes to come will send: not for this client.
    }
    return std::nullopt;
}

void Link::receive(std::size_t most, const std::function<void(Input)>& each) {
    // Replies that stand before a drop of the connection are read first: an ack in them is worth having.
    for (std::size_t count = 0; is_open() && count < most; ++count) {
        auto reply = next_reply();
        if (!reply) break;
        each(std::move(*reply));
    }
    while (is_open()) {
        auto event = next_event();
        if (!event) break;
        each(std::move(*event));
    }
}

}  // namespace anel::client

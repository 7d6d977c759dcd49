#include "ring/transport/client_port.hpp"

#include "ring/transport/frames.hpp"

namespace anel {
namespace {

/// Rubbish is dropped quickly, but not for ever: the ring has its turn in between.
constexpr int malformed_per_turn = 64;

}  // namespace

ClientPort::ClientPort(zmq::context_t& context, const std::string& address, std::size_t frame_bytes_max, bool ipv6,
                       ClientBounds bounds)
    : frame_bytes_max_{frame_bytes_max}, socket_{open_socket(context, SocketKind::client_port, frame_bytes_max, ipv6)} {
    socket_.raw().bind(address);
    guard_ = std::make_unique<ClientGuard>(context, socket_.raw(), bounds);
}

std::optional<ClientArrived> ClientPort::next() {
    for (int tries = 0; tries < malformed_per_turn; ++tries) {
        auto received = receive_from_peer(socket_, frame_bytes_max_);
        if (!received) break;
        guard_->took(received->descriptor, received->wire_bytes);
        if (auto arrived = frame_of(std::move(*received))) {
            ++counters_.received;
            return arrived;
        }
        ++counters_.malformed;
    }
    readable_ = false;
    return std::nullopt;
}

void ClientPort::reply(const Connection& to, const ClientReply& reply) {
    const bool sent = send_to_peer(socket_, to, Blob::of(encode(reply)));
    ++(sent ? counters_.answered : counters_.dropped);
}

}  // namespace anel

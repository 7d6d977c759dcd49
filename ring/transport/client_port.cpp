#include "ring/transport/client_port.hpp"

#include "ring/transport/frames.hpp"

namespace anel {
namespace {

/// Rubbish is dropped quickly, but not for ever: the ring has its turn in between.
constexpr int malformed_per_turn = 64;
constexpr std::size_t routing_id_bytes_max = 255;

}  // namespace

ClientPort::ClientPort(zmq::context_t& context, const std::string& address, std::size_t frame_bytes_max, bool ipv6,
                       ClientBounds bounds)
    : frame_bytes_max_{frame_bytes_max}, socket_{open_socket(context, SocketKind::client_port, frame_bytes_max, ipv6)} {
    socket_.raw().bind(address);
    guard_ = std::make_unique<ClientGuard>(context, socket_.raw(), bounds);
}

std::optional<ClientArrived> ClientPort::next() {
    // Routing id, perhaps the empty delimiter of a REQ, the frame.
    for (int tries = 0; tries < malformed_per_turn; ++tries) {
        auto received = receive_frames(socket_, 3, frame_bytes_max_ + routing_id_bytes_max);
        if (!received) break;
        guard_->took(received->descriptor, received->wire_bytes);
        auto& frames = received->frames;
        const bool delimiter = frames.size() == 3 && frames[1].empty();
        if (received->overlong || (frames.size() != 2 && !delimiter)) {
            ++counters_.malformed;
            continue;
        }
        ++counters_.received;
        return ClientArrived{Connection{std::string{frames[0].text()}, delimiter}, std::move(frames.back())};
    }
    readable_ = false;
    return std::nullopt;
}

void ClientPort::reply(const Connection& to, const ClientReply& reply) {
    Frames frames;
    frames.reserve(3);
    frames.push_back(Blob::copy(to.routing_id));
    if (to.delimiter) frames.emplace_back();
    frames.push_back(Blob::of(encode(reply)));
    send_frames(socket_, frames) == Sent::queued ? ++counters_.answered : ++counters_.dropped;
}

}  // namespace anel

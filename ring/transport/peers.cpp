#include "ring/transport/peers.hpp"

namespace anel {
namespace {

constexpr std::size_t waiting_max = 16;
/// Older ones are worth less than what the core says now.
constexpr Duration waiting_age_max = std::chrono::milliseconds{300};

}  // namespace

struct Peers::Connection {
    Connection(zmq::context_t& context, bool ipv6, Heartbeat heartbeat)
        : socket{open_socket(context, SocketKind::control_peer, limits::control_bytes_max, ipv6, heartbeat)},
          monitor{context, socket.raw()} {}
    Socket socket;
    Monitor monitor;
    bool greeted = false;  ///< the node at the other end said that it is the one we want
    bool readable = false;
    bool has_events = false;
};

Peers::Peers(zmq::context_t& context, NodeId self, Incarnation incarnation, const std::map<NodeId, Endpoint>& nodes,
             bool ipv6, Heartbeat heartbeat)
    : context_{context}, self_{self}, incarnation_{incarnation}, ipv6_{ipv6}, heartbeat_{heartbeat} {
    for (const auto& [id, endpoint] : nodes) {
        if (id != self) peers_[id].endpoint = endpoint;
    }
}
Peers::~Peers() = default;

void Peers::start(Instant now) {
    for (const auto& [id, peer] : peers_) resolver_.ask(id, peer.endpoint.host, now);
}

void Peers::connect(Peer& peer) {
    if (peer.numeric_host.empty()) return;
    auto connection = std::make_unique<Connection>(context_, ipv6_, heartbeat_);
    try {
        connection->socket.raw().connect(tcp_address(peer.numeric_host, peer.endpoint.port));
        peer.connection = std::move(connection);
    } catch (const zmq::error_t&) {
        peer.connection.reset();  // an address that cannot be: the next look-up may give another
    }
}

void Peers::send_frame(Peer& peer, const Bytes& frame) {
    auto message = to_message(BytesView{frame});
    if (!peer.connection->socket.send(message)) ++refused_;
}

void Peers::send(NodeId to, const Control& message, Instant now) {
    const auto place = peers_.find(to);
    if (place == peers_.end()) return;
    auto& peer = place->second;
    auto frame = encode_control(ControlEnvelope{self_, incarnation_, message});
    if (peer.connection && peer.connection->greeted) {
        send_frame(peer, frame);
        return;
    }
    if (!peer.connection) resolver_.ask(to, peer.endpoint.host, now);
    peer.waiting.push_back({now, std::move(frame)});
    if (peer.waiting.size() > waiting_max) {
        peer.waiting.pop_front();
        ++refused_;
    }
}

void Peers::finish(std::chrono::milliseconds linger) {
    for (auto& [id, peer] : peers_) {
        if (peer.connection) peer.connection->socket.raw().set(zmq::sockopt::linger, static_cast<int>(linger.count()));
    }
}

void Peers::heard_of(NodeId node, Incarnation incarnation, Instant now) {
    const auto place = peers_.find(node);
    if (place == peers_.end() || place->second.incarnation == incarnation) return;
    auto& peer = place->second;
    const bool is_first = peer.incarnation == Incarnation{};
    peer.incarnation = incarnation;
    if (is_first && peer.connection && peer.connection->greeted) return;
    connect(peer);
    resolver_.ask(node, peer.endpoint.host, now);
}

void Peers::watch(PollSet& set) {
    set.add(resolver_.descriptor(), names_ready_);
    for (auto& [id, peer] : peers_) {
        if (!peer.connection) continue;
        set.add(peer.connection->socket, peer.connection->readable);
        set.add(peer.connection->monitor.socket(), peer.connection->has_events);
    }
}

void Peers::read_events(NodeId node, Peer& peer, Instant now) {
    while (const auto happened = peer.connection->monitor.next()) {
        switch (happened->event) {
            case ConnectionEvent::opened: break;
            case ConnectionEvent::greeted:
                // While a node is away, another one may be given its address.
                send_frame(peer, encode_control(Who{}));
                break;
            case ConnectionEvent::failed:
            case ConnectionEvent::closed:
                // libzmq tries the same address again; the name may have another one by now.
                peer.connection->greeted = false;
                resolver_.ask(node, peer.endpoint.host, now);
                break;
        }
    }
}

void Peers::heard_who_it_is(NodeId node, Peer& peer, const IAm& i_am, Instant now) {
    if (i_am.id != node) {
        peer.connection.reset();  // the next message to it asks for its name again
        return;
    }
    peer.connection->greeted = true;
    for (const auto& waiting : peer.waiting) {
        if (now - waiting.since <= waiting_age_max) send_frame(peer, waiting.frame);
    }
    peer.waiting.clear();
}

void Peers::read_greetings(NodeId node, Peer& peer, Instant now) {
    while (auto received = receive_frames(peer.connection->socket, 1, limits::control_bytes_max)) {
        if (received->overlong) continue;
        const auto frame = decode_control(received->frames.front().bytes());
        if (!frame) continue;
        if (const auto* who = std::get_if<Who>(&*frame)) {
            send_frame(peer, encode_control(IAm{who->nonce, self_, incarnation_}));
        } else if (const auto* i_am = std::get_if<IAm>(&*frame)) {
            heard_who_it_is(node, peer, *i_am, now);
            if (!peer.connection) return;
        } else if (const auto* taken = std::get_if<Taken>(&*frame)) {
            id_is_taken_ = id_is_taken_ || (taken->id == self_ && taken->incarnation == incarnation_);
        }
    }
}

void Peers::receive(Instant now) {
    for (auto& [id, peer] : peers_) {
        if (!peer.connection) continue;
        if (peer.connection->has_events) read_events(id, peer, now);
        if (peer.connection->readable) read_greetings(id, peer, now);
    }
    if (!names_ready_) return;
    for (auto& resolved : resolver_.take()) {
        auto& peer = peers_.at(resolved.node);
        if (resolved.numeric_host.empty()) continue;  // asked again with the next message to it
        if (peer.connection && resolved.numeric_host == peer.numeric_host) continue;
        peer.numeric_host = std::move(resolved.numeric_host);
        connect(peer);
    }
}

}  // namespace anel

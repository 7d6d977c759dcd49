#include "ring/transport/links.hpp"

#include "ring/transport/address.hpp"

namespace anel {
namespace {

/// Of one link and one turn; the other sockets have their turn in between.
constexpr int messages_per_turn = 64;

}  // namespace

struct Links::Link {
    Link(zmq::context_t& context, SocketKind kind, std::size_t frame_bytes_max, bool ipv6, Heartbeat heartbeat)
        : bound{kind == SocketKind::link_in},
          socket{open_socket(context, kind, frame_bytes_max, ipv6, heartbeat)},
          monitor{context, socket.raw()} {}

    bool bound;
    Socket socket;
    Monitor monitor;  // ends before the socket does
    bool readable = false;
    bool has_events = false;
    /// The TCP connections that stand. Strangers may connect to a bound link; only one connection is the peer's.
    std::multiset<int> connections;
    int peer = -1;  ///< the connection that a well-formed message came over; a bound link's own
};

Links::Links(zmq::context_t& context, LinkOptions options)
    : context_{context}, options_{std::move(options)}, next_port_{options_.ports.first} {}
Links::~Links() = default;

bool Links::bind_to_any_port(zmq::socket_t& socket) {
    const bool chosen_by_system = options_.ports.first == 0;
    const int tries = chosen_by_system ? 1 : options_.ports.last - options_.ports.first + 1;
    for (int attempt = 0; attempt < tries; ++attempt) {
        const auto port = next_port_;
        if (!chosen_by_system) {
            next_port_ = port == options_.ports.last ? options_.ports.first : static_cast<std::uint16_t>(port + 1);
        }
        try {
            const auto host = is_ipv6(options_.bind_host) ? "[" + options_.bind_host + "]" : options_.bind_host;
            socket.bind("tcp://" + host + ":" + (chosen_by_system ? std::string{"*"} : std::to_string(port)));
            return true;
        } catch (const zmq::error_t&) {
            // In use; the next one may be free.
        }
    }
    return false;
}

std::string Links::bind(LinkId id, const std::string& own_host) {
    auto link = std::make_unique<Link>(context_, SocketKind::link_in, options_.frame_bytes_max, options_.ipv6,
                                       options_.heartbeat);
    if (!bind_to_any_port(link->socket.raw())) return {};
    const auto port = bound_port(link->socket.raw());
    links_[id] = std::move(link);
    return tcp_address(own_host, port);
}

void Links::connect(LinkId id, const std::string& address) {
    if (!is_numeric_tcp_address(address)) {
        dropped_.insert(id);
        return;
    }
    auto link = std::make_unique<Link>(context_, SocketKind::link_out, options_.frame_bytes_max, options_.ipv6,
                                       options_.heartbeat);
    try {
        link->socket.raw().connect(address);
        links_[id] = std::move(link);
    } catch (const zmq::error_t&) {
        dropped_.insert(id);
    }
}

void Links::close(LinkId id) {
    links_.erase(id);
    dropped_.erase(id);
}

void Links::send(LinkId id, const LinkMessage& message) {
    const auto place = links_.find(id);
    if (place == links_.end()) return;
    const bool sent = send_frames(place->second->socket, {Blob::of(encode_link(message))});
    ++(sent ? counters_.sent : counters_.refused);
}

void Links::watch(PollSet& set) {
    for (auto& [id, link] : links_) {
        set.add(link->socket, link->readable);
        set.add(link->monitor.socket(), link->has_events);
    }
}

bool Links::is_gone(Link& link) {
    bool gone = false;
    while (const auto happened = link.monitor.next()) {
        switch (happened->event) {
            case ConnectionEvent::opened: link.connections.insert(happened->descriptor); break;
            case ConnectionEvent::greeted: break;
            case ConnectionEvent::failed: gone = gone || !link.bound; break;
            case ConnectionEvent::closed:
                if (const auto place = link.connections.find(happened->descriptor); place != link.connections.end()) {
                    link.connections.erase(place);
                }
                gone = gone || !link.bound || happened->descriptor == link.peer;
                break;
        }
    }
    return gone;
}

void Links::receive_from(Link& link, LinkId id, std::vector<Input>& inputs) {
    for (int count = 0; count < messages_per_turn; ++count) {
        auto received = receive_frames(link.socket, 1, options_.frame_bytes_max);
        if (!received) return;
        auto message = received->overlong ? failure(ErrorCode::too_large, "more than one frame")
                                          : decode_link(received->frames.front());
        if (!message) {
            ++counters_.malformed;
            continue;
        }
        ++counters_.received;
        if (link.peer < 0) link.peer = received->descriptor;
        inputs.push_back(LinkArrived{id, std::move(*message)});
    }
}

void Links::receive(std::vector<Input>& inputs) {
    for (auto place = links_.begin(); place != links_.end();) {
        auto& [id, link] = *place;
        const bool knew_peer = link->peer >= 0;
        if (link->readable) receive_from(*link, id, inputs);
        const bool events = link->has_events || (!knew_peer && link->peer >= 0);
        bool gone = events && is_gone(*link);
        // A peer known just now may have gone before its number was; a stranger's number may have come again.
        if (link->bound && !knew_peer && link->peer >= 0) gone = !link->connections.contains(link->peer);
        if (gone) {
            receive_from(*link, id, inputs);  // what came before the end
            dropped_.insert(id);
            place = links_.erase(place);
        } else {
            ++place;
        }
    }
    for (const auto id : dropped_) inputs.push_back(LinkDropped{id});
    counters_.dropped += dropped_.size();
    dropped_.clear();
}

}  // namespace anel

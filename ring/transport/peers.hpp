// One-way connections to the control ports of the other nodes. What is lost is lost: the core sends it again.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "ring/transport/address.hpp"
#include "ring/transport/frames.hpp"
#include "ring/transport/resolver.hpp"
#include "ring/transport/sockets.hpp"

namespace anel {

class Peers {
public:
    Peers(zmq::context_t& context, NodeId self, Incarnation incarnation, const std::map<NodeId, Endpoint>& nodes,
          bool ipv6, Heartbeat heartbeat);
    ~Peers();

    /// Begins to look up and connect all of them.
    void start(Instant now);
    /// Never waits. While a connection is being made, a few messages wait for it for a moment.
    void send(NodeId to, const Control& message, Instant now);
    /// A message of this life of a node came in. A new life is connected to at once, by a name looked up afresh.
    void heard_of(NodeId node, Incarnation incarnation, Instant now);

    void watch(PollSet& set);
    void receive(Instant now);

    /// What was sent still goes while the sockets close, for so long.
    void finish(std::chrono::milliseconds linger);

    /// A peer said that another life of our id stands in the ring and answers.
    [[nodiscard]] bool id_is_taken() const { return id_is_taken_; }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }

private:
    struct Connection;
    struct Waiting {
        Instant since;
        Bytes frame;
    };
    struct Peer {
        Endpoint endpoint;
        std::string numeric_host;
        Incarnation incarnation;  ///< the last one heard of; 0: none
        std::unique_ptr<Connection> connection;
        std::deque<Waiting> waiting;
    };
    void connect(Peer& peer);
    void send_frame(Peer& peer, const Bytes& frame);
    void read_events(NodeId node, Peer& peer, Instant now);
    void read_greetings(NodeId node, Peer& peer, Instant now);
    void heard_who_it_is(NodeId node, Peer& peer, const IAm& i_am, Instant now);

    zmq::context_t& context_;
    NodeId self_;
    Incarnation incarnation_;
    bool ipv6_;
    Heartbeat heartbeat_;
    std::map<NodeId, Peer> peers_;
    Resolver resolver_;
    bool names_ready_ = false;
    bool id_is_taken_ = false;
    std::uint64_t refused_ = 0;
};

}  // namespace anel

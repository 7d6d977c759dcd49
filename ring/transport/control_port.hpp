// The ROUTER other nodes speak to, and the watch that no id lives twice in the ring.
//
// Two lives of one id are told apart by asking: when a second incarnation of an id speaks, the first one is asked
// over its own connection. If it answers, the second is told that its id is taken; if its connection is gone or it
// stays silent, the second has taken its place (a node that was started again).
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/instant.hpp"
#include "ring/transport/codec.hpp"
#include "ring/transport/sockets.hpp"

namespace anel {

struct ControlCounters {
    std::uint64_t received = 0;
    std::uint64_t malformed = 0;
};

class ControlPort {
public:
    /// Throws zmq::error_t where the address cannot be bound.
    ControlPort(zmq::context_t& context, const std::string& address, NodeId self, Incarnation incarnation, bool ipv6,
                Heartbeat heartbeat);

    void watch(PollSet& set) { set.add(socket_, readable_); }
    /// What the nodes said since, some of it at a time.
    void receive(std::vector<ControlEnvelope>& envelopes, Instant now);
    /// Somebody asked for this node's figures and was not answered yet.
    [[nodiscard]] bool figures_asked() const { return !figures_asked_.empty(); }
    void tell_figures(const std::string& json);
    [[nodiscard]] const ControlCounters& counters() const { return counters_; }

private:
    struct Life {
        Incarnation incarnation;
        std::string connection;  ///< the routing id it spoke over last
    };
    struct Challenge {
        Life newcomer;
        std::uint64_t nonce = 0;
        Instant since{};
    };
    struct Known {
        Life life;
        std::optional<Challenge> challenge;
    };
    void note(const ControlEnvelope& envelope, const std::string& connection, Instant now);
    void heard(const IAm& answer);
    bool answer(const std::string& connection, const ControlFrame& frame);

    NodeId self_;
    Incarnation incarnation_;
    Socket socket_;
    bool readable_ = false;
    struct FiguresAsked {
        std::string connection;
        std::uint64_t nonce = 0;
    };
    std::map<NodeId, Known> known_;
    std::vector<FiguresAsked> figures_asked_;  ///< as many as one turn receives at most
    std::mt19937_64 nonces_;
    ControlCounters counters_;
};

}  // namespace anel

// Asks the other nodes for their figures, for a status page. It has sockets of its own, on the thread of its owner:
// the node's loop and its connections do not know that somebody looks.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "ring/transport/address.hpp"
#include "ring/transport/codec.hpp"
#include "ring/transport/resolver.hpp"
#include "ring/transport/sockets.hpp"

namespace anel {

class FiguresAsker {
public:
    /// @param nodes  control ports of all nodes.   @param self  is not asked.
    FiguresAsker(zmq::context_t& context, const std::map<NodeId, Endpoint>& nodes, NodeId self, bool ipv6);
    FiguresAsker(const FiguresAsker&) = delete;
    FiguresAsker& operator=(const FiguresAsker&) = delete;
    ~FiguresAsker();

    /// One document of each node that answers within `patience`. A node that owes an answer for long is asked over a
    /// fresh connection, wherever its name leads by then.
    [[nodiscard]] std::map<NodeId, std::string> ask(Instant now, std::chrono::milliseconds patience);

private:
    struct Peer;
    void connect_resolved(Instant now);
    void put_question(NodeId node, Peer& peer, Instant now);
    /// Takes what came of a peer. @return whether it was the answer to its last question.
    bool take_answer(Peer& peer, std::string& document);

    zmq::context_t& context_;
    bool ipv6_;
    std::map<NodeId, std::unique_ptr<Peer>> peers_;
    Resolver resolver_;
    std::uint64_t nonce_ = 0;
};

}  // namespace anel

// Plain text pushes: the node is a client of itself and keeps the books for those who speak no msgpack.
#pragma once

#include <deque>
#include <string>

#include "ring/core/context.hpp"

namespace anel {

/// The client id under which one incarnation of a node pushes the plain text it was given.
[[nodiscard]] std::string anonymous_client_id(NodeId node, Incarnation incarnation);

/// Where the node answers itself instead of a connection.
[[nodiscard]] inline const Connection& own_connection() {
    static const Connection connection{};
    return connection;
}

/// The node's own client. It speaks the client protocol with the node that it lives in: frames come out of it for
/// Clients::arrived, replies go into it instead of out to a socket.
class Anonymous {
public:
    explicit Anonymous(Context& context);

    /// One frame of plain text. @return the frames to hand to the client side of this node.
    [[nodiscard]] std::vector<Blob> text_arrived(const Connection& connection, const Blob& text);
    [[nodiscard]] std::vector<Blob> replied(const ClientReply& reply);
    /// A round was applied; remembers which ledger sequences the own messages got.
    void applied(const RoundResult& result);

private:
    enum class Greeting {
        none,      ///< no hello was said yet, or it was refused
        helloed,   ///< waiting for the welcome
        welcomed,  ///< messages may be pushed
    };
    struct Waiting {
        Connection connection;
        ClientSequence sequence;  ///< 0: not numbered before the welcome says where to begin
        Blob text;
        Sequence written;  ///< 0: not yet
        [[nodiscard]] std::size_t cost() const { return text.size() + sizeof(Waiting); }
    };

    [[nodiscard]] Blob hello() const;
    [[nodiscard]] Blob push(const Waiting& waiting) const;
    void refuse_from(ClientSequence first, RejectCode code, const std::string& why);

    Context& context_;
    std::string client_id_;
    Greeting greeting_ = Greeting::none;
    ClientSequence last_;  ///< numbered last
    std::deque<Waiting> waiting_;
    std::size_t waiting_bytes_ = 0;  ///< texts and what keeping them costs
};

}  // namespace anel

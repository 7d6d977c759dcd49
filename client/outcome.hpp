// What became of a message.
#pragma once

#include <string>
#include <variant>

#include "common/ids.hpp"

namespace anel::client {

/// The message stands in the ledger and survives a power cut. Acks are cumulative: one ack covers many
/// messages and names the ledger sequence and the round of the last of them alone.
struct Durable {
    Sequence acked_sequence;  ///< ledger sequence of the last message that the ack covered, not of each
    Round acked_round;        ///< its round; this message's own round is this one or an earlier one
    friend bool operator==(const Durable&, const Durable&) = default;
};

/// The message is not in the ledger and will not come there by itself.
struct Refused {
    std::string code;  ///< a reject code of the protocol (docs/PROTOCOL.md), or `would_block`, `closed`
    std::string text;  ///< one line for people
    friend bool operator==(const Refused&, const Refused&) = default;
};

/// The message was sent, and whether it is or comes to be in the ledger cannot be said.
struct Unknown {
    std::string why;  ///< one line for people
    friend bool operator==(const Unknown&, const Unknown&) = default;
};

/// What became of a message: one of the three, told once.
using Outcome = std::variant<Durable, Refused, Unknown>;

/// Number of a message in one Client object: the order of its pushes, from 1. It is not the client
/// sequence of the wire, which is settled only when a node has said where the session stands.
using Ordinal = Strong<struct OrdinalTag>;

/// The outcome of the messages first..last, told once for each.
struct Settled {
    Ordinal first;
    Ordinal last;
    Outcome outcome;
};

}  // namespace anel::client

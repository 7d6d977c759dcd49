// What nodes say to each other, as bytes. Pure functions: messages in, frames out, and back.
// What comes in is never trusted: it is read with limits, and one wrong byte refuses the whole message.
#pragma once

#include <variant>
#include <vector>

#include "common/blob.hpp"
#include "common/limits.hpp"
#include "common/result.hpp"
#include "ring/core/messages.hpp"

namespace anel {

inline constexpr std::uint64_t ring_protocol_version = 2;

// --- control port: one frame each ----------------------------------------------------------------

/// A message of the core, with the life of the node that sent it.
struct ControlEnvelope {
    NodeId from;
    Incarnation incarnation;
    Control message;
    friend bool operator==(const ControlEnvelope&, const ControlEnvelope&) = default;
};
/// Who are you? The shells' own question, by which two lives of one id are told apart. The core does not see it.
struct Who {
    std::uint64_t nonce = 0;
    friend bool operator==(const Who&, const Who&) = default;
};
struct IAm {
    std::uint64_t nonce = 0;
    NodeId id;
    Incarnation incarnation;
    friend bool operator==(const IAm&, const IAm&) = default;
};
/// To the life that came second: your id is in the ring already.
struct Taken {
    NodeId id;
    Incarnation incarnation;  ///< of the addressee
    friend bool operator==(const Taken&, const Taken&) = default;
};
/// Which figures do you have? From a node whose status page somebody looks at.
struct AskFigures {
    std::uint64_t nonce = 0;
    friend bool operator==(const AskFigures&, const AskFigures&) = default;
};
/// One JSON document, for people alone.
struct Figures {
    std::uint64_t nonce = 0;
    NodeId id;
    Blob json;
    friend bool operator==(const Figures&, const Figures&) = default;
};
using ControlFrame = std::variant<ControlEnvelope, Who, IAm, Taken, AskFigures, Figures>;

[[nodiscard]] Bytes encode_control(const ControlFrame& frame);
[[nodiscard]] Result<ControlFrame> decode_control(BytesView frame);

// --- links: one frame each -----------------------------------------------------------------------
//
// libzmq 4.3 ends the process when a socket is closed while a message of several frames is half on its way (its issue
// 3442), and links are closed while large tokens are on their way.

/// The chunks of a bid become one.
[[nodiscard]] Bytes encode_link(const LinkMessage& message);
/// Bids stay parts of `frame`.
[[nodiscard]] Result<LinkMessage> decode_link(const Blob& frame);

}  // namespace anel

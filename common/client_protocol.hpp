// Version 1 of the client protocol: what clients and nodes say to each other. docs/PROTOCOL.md is its text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/blob.hpp"
#include "common/ids.hpp"
#include "common/limits.hpp"
#include "common/msgpack_reader.hpp"
#include "common/result.hpp"

namespace anel {

inline constexpr std::uint64_t client_protocol_version = 1;

// --- from a client -------------------------------------------------------------------------------

struct HelloRequest {
    std::string client_id;
    Instance instance;
    ClientSequence sent;  ///< highest client sequence this instance ever pushed; 0: none
    Round birth{};        ///< of the session it goes on with, as its welcome said; 0: it knows of none
    friend bool operator==(const HelloRequest&, const HelloRequest&) = default;
};

/// A batch; it points into the frame it was read from.
struct PushRequest {
    std::string_view client_id;
    Instance instance;
    ClientSequence first;
    std::uint32_t count = 0;  ///< at least 1
    BytesView messages;       ///< `count` times [timestamp, payload], for MessageReader
    [[nodiscard]] ClientSequence last() const { return {first.value + count - 1}; }
};

struct ByeRequest {
    std::string client_id;
    Instance instance;
    friend bool operator==(const ByeRequest&, const ByeRequest&) = default;
};

struct StatusRequest {
    friend bool operator==(const StatusRequest&, const StatusRequest&) = default;
};

using ClientRequest = std::variant<HelloRequest, PushRequest, ByeRequest, StatusRequest>;

/// One message of a batch; the payload points into the frame.
struct Message {
    Timestamp timestamp = 0;
    std::string_view payload;
    friend bool operator==(const Message&, const Message&) = default;
};

/// Walks the messages of a PushRequest.
class MessageReader {
public:
    explicit MessageReader(const PushRequest& push) : reader_{push.messages}, left_{push.count} {}
    [[nodiscard]] bool more() const { return left_ > 0; }
    /// Of a push that decode_request has checked.
    Message next();
    /// Of any push; none: it was the last, or the next is not [timestamp, payload].
    std::optional<Message> try_next();
    /// All were read, and nothing stands behind them.
    [[nodiscard]] bool done() const { return left_ == 0 && reader_.done(); }

private:
    MsgpackReader reader_;
    std::uint32_t left_;
};

/// A request that cannot be read. What of its sender could be read stands beside the reason.
struct BadRequest {
    ErrorCode code = ErrorCode::malformed;  ///< malformed, too_large or unsupported
    std::string text;
    std::string client_id;    ///< empty where it could not be read
    Instance instance;        ///< 0 where it could not be read
    ClientSequence sequence;  ///< the first client sequence of the batch, 0 where it could not be read
};

/// Reads and checks one frame of a client: version, kind, types, sizes against `limits`, no trailing bytes.
/// Never throws, never allocates what a sender merely declares.
[[nodiscard]] tl::expected<ClientRequest, BadRequest> decode_request(BytesView frame,
                                                                     const limits::ClientLimits& limits);

/// Reads a frame that a node took before, so that its sizes are nobody's business any more. The messages of a push are not
/// looked at: who walks them sees whether they can be read.
[[nodiscard]] std::optional<ClientRequest> decode_taken(BytesView frame);

[[nodiscard]] Bytes encode(const HelloRequest& request);
[[nodiscard]] Bytes encode(const ByeRequest& request);
[[nodiscard]] Bytes encode(const StatusRequest& request);
[[nodiscard]] Bytes encode_push(std::string_view client_id, Instance instance, ClientSequence first,
                                const std::vector<Message>& messages);

/// A frame whose first byte is not 0x90..0x9f (a msgpack fixarray) is plain text.
[[nodiscard]] inline bool is_plain_text(BytesView frame) {
    return frame.empty() || (std::to_integer<unsigned>(frame.front()) & 0xf0U) != 0x90U;
}
/// Client ids with this prefix belong to the nodes themselves (anonymous text pushes).
inline constexpr std::string_view anonymous_prefix = "anon:";

// --- from a node ---------------------------------------------------------------------------------

enum class RejectCode {
    // final: the same request will never be taken
    too_large,
    malformed,
    conflict,
    session_retired,
    // try again, or another node
    gap,
    hello_first,
    no_quorum,
    too_many_sessions,
    shutting_down,
    disk_full,
    busy,  ///< plain text pushes only; others are answered by `busy` with a time
};
[[nodiscard]] std::string_view name_of(RejectCode code);
[[nodiscard]] std::optional<RejectCode> reject_code_named(std::string_view name);
[[nodiscard]] bool is_final(RejectCode code);

struct Welcome {
    std::string client_id;
    ClientSequence last;  ///< the last client sequence written
    NodeId node;
    limits::ClientLimits limits;
    Round birth{};  ///< of the session: the client names it in each later hello; 0: the node is of an older program
    friend bool operator==(const Welcome&, const Welcome&) = default;
};
/// Cumulative: covers every client sequence up to `last`. Sent only when all of it is durable.
struct Ack {
    std::string client_id;
    ClientSequence last;
    Sequence sequence;  ///< ledger sequence of `last`
    Round round;
    friend bool operator==(const Ack&, const Ack&) = default;
};
struct Busy {
    std::string client_id;
    ClientSequence first;  ///< of the refused batch
    std::uint64_t retry_after_ms = 0;
    friend bool operator==(const Busy&, const Busy&) = default;
};
struct Reject {
    std::string client_id;
    ClientSequence sequence;
    RejectCode code = RejectCode::malformed;
    std::string text;
    friend bool operator==(const Reject&, const Reject&) = default;
};
struct Byed {
    std::string client_id;
    friend bool operator==(const Byed&, const Byed&) = default;
};
/// Answers to a plain text push: `OK <sequence>` and `ERR <code> <text>`.
struct TextOk {
    Sequence sequence;
    friend bool operator==(const TextOk&, const TextOk&) = default;
};
struct TextError {
    RejectCode code = RejectCode::malformed;
    std::string text;
    friend bool operator==(const TextError&, const TextError&) = default;
};
/// A node's view of itself and the ring, as one JSON document (docs/PROTOCOL.md lists its keys).
struct StatusReply {
    std::string json;
    friend bool operator==(const StatusReply&, const StatusReply&) = default;
};

using ClientReply = std::variant<Welcome, Ack, Busy, Reject, Byed, TextOk, TextError, StatusReply>;

[[nodiscard]] Bytes encode(const ClientReply& reply);
/// For clients: reads a msgpack reply (not the plain text ones). None: it is of a kind that is not known here, which a
/// client has to pass over.
[[nodiscard]] Result<std::optional<ClientReply>> decode_reply(BytesView frame);

}  // namespace anel

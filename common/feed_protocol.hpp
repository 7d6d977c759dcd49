// Version 1 of the feed: readers get the durable bytes of output.txt from a node. docs/PROTOCOL.md, "The feed", is its
// text. A reader asks for the bytes from an offset on, one request at a time; the answer waits for bytes where there
// are none yet.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/blob.hpp"
#include "common/ids.hpp"
#include "common/result.hpp"

namespace anel {

inline constexpr std::uint64_t feed_protocol_version = 1;

namespace limits {

inline constexpr std::size_t feed_ledger_bytes_max = 64;            ///< of a ledger's name
inline constexpr std::size_t feed_request_bytes_max = 256;          ///< of one frame of a reader
inline constexpr std::uint64_t feed_answer_bytes_max = 256 * 1024;  ///< of output in one answer
inline constexpr std::size_t feed_readers_max = 1024;               ///< that wait at one node
/// Of output on its way to readers of one node. Who does not read holds one answer until the connection is given up.
inline constexpr std::size_t feed_bytes_under_way_max = 64 * 1024 * 1024;
static_assert(feed_ledger_bytes_max < feed_request_bytes_max);
static_assert(16 * feed_answer_bytes_max <= feed_bytes_under_way_max);

}  // namespace limits

/// A request is answered within this time, with no bytes where none came: so silence means something.
inline constexpr std::chrono::seconds feed_heartbeat{1};

/// The one request of a reader.
struct FeedRead {
    std::string ledger;           ///< whose output its offset belongs to; empty: any
    std::uint64_t offset = 0;     ///< bytes, in output.txt
    std::uint64_t bytes_max = 0;  ///< of the answer; 0: only where the end is, at once
    friend bool operator==(const FeedRead&, const FeedRead&) = default;
};

/// Output from the offset that was asked for.
struct FeedOutput {
    std::string ledger;        ///< its name, for the next request
    std::uint64_t offset = 0;  ///< of the first byte; where none was asked for, of the first that is there from it on
    std::uint64_t end = 0;     ///< durable bytes of output.txt now, of whole rounds
    Round round;               ///< the last one before `end`
    std::string_view bytes;    ///< points into the frame; up to `end` they are whole lines, but where one is too long
    friend bool operator==(const FeedOutput&, const FeedOutput&) = default;
};

enum class FeedRefusal {
    malformed,         ///< the request cannot be read
    other_ledger,      ///< this node's ledger is another one, or was repaired since
    removed,           ///< the files that had those bytes were removed
    behind,            ///< this node does not know so many durable bytes (yet)
    too_many_readers,  ///< wait at this node already
    shutting_down,     ///< this node leaves
    unreadable,        ///< this node cannot read its ledger
};
[[nodiscard]] std::string_view name_of(FeedRefusal refusal);
[[nodiscard]] std::optional<FeedRefusal> feed_refusal_named(std::string_view name);
/// Another node says the same, and so does this one later.
[[nodiscard]] bool is_final(FeedRefusal refusal);

struct FeedReject {
    FeedRefusal code = FeedRefusal::malformed;
    std::string text;  ///< one line for people
    friend bool operator==(const FeedReject&, const FeedReject&) = default;
};
using FeedAnswer = std::variant<FeedOutput, FeedReject>;

[[nodiscard]] Bytes encode(const FeedRead& request);
[[nodiscard]] Bytes encode(const FeedAnswer& answer);
/// Strict: version, kind, types, sizes, nothing trailing. Never throws. The error is one line for the sender.
[[nodiscard]] Result<FeedRead> decode_feed_request(BytesView frame);
/// For readers. What the node says is believed in nothing but its form.
[[nodiscard]] Result<FeedAnswer> decode_feed_answer(BytesView frame);

}  // namespace anel

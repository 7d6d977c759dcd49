// What nodes say to each other: control messages over CLUSTER_PORT, and the token and its hop acks over links.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/blob.hpp"
#include "common/ids.hpp"
#include "ring/core/ledger.hpp"

namespace anel {

struct Member {
    NodeId id;
    Incarnation incarnation;
    std::string link_address;  ///< numeric, where its predecessor connects to
    friend bool operator==(const Member&, const Member&) = default;
};

/// The members of an epoch, in ascending id order, which is the order of the ring.
struct View {
    Epoch epoch;
    NodeId coordinator;
    SegmentNumber segment;  ///< the epoch's first
    std::vector<Member> members;
    friend bool operator==(const View&, const View&) = default;
};

/// One client frame within a bid.
struct BidEntry {
    Round birth;              ///< of the session under which it was accepted; for hello, of the one it was judged by
    std::uint32_t bytes = 0;  ///< length of the frame
    friend bool operator==(const BidEntry&, const BidEntry&) = default;
};

// --- control messages: each may be lost, repeated, late -----------------------------------------

/// Candidate to all: who is there? The same number stands in the candidate's word of the shared ledger.
struct Call {
    CallId call;
    LedgerId ledger;
    Epoch highest;           ///< the highest epoch the candidate knows
    bool disk_full = false;  ///< the grant that it asked for last found no space
    friend bool operator==(const Call&, const Call&) = default;
};
/// To the candidate: I am, and this is where my predecessor may connect.
struct Answer {
    CallId call;
    Epoch highest;
    std::string link_address;
    friend bool operator==(const Answer&, const Answer&) = default;
};
/// To the candidate: my ring works; ask its coordinator to be admitted.
struct Content {
    Epoch epoch;
    NodeId coordinator;
    friend bool operator==(const Content&, const Content&) = default;
};
/// Seeker to coordinator: admit me with the next planned change.
struct Join {
    Epoch highest;
    friend bool operator==(const Join&, const Join&) = default;
};
/// Coordinator to members: this is the view of a granted epoch.
struct ViewTold {
    View view;
    friend bool operator==(const ViewTold&, const ViewTold&) = default;
};
/// Member to coordinator: I applied everything before the epoch's base and both my links stand.
struct Ready {
    Epoch epoch;
    friend bool operator==(const Ready&, const Ready&) = default;
};

enum class SuspectReason { link_dropped, token_overdue, join, leave, fenced, link_failed, start_overdue, bid_lost };

/// Member to members: this epoch has to end.
struct Suspect {
    Epoch epoch;
    SuspectReason reason = SuspectReason::token_overdue;
    NodeId about;  ///< the node it is about: whose link dropped, who joins or leaves
    friend bool operator==(const Suspect&, const Suspect&) = default;
};
/// A node with work to the presumed holder of a parked token. It may bring what the node would bid: pushes alone, and only
/// as a copy. Who sent it bids them again unless a round has them, so a wake may be lost, repeated or late.
struct Wake {
    Epoch epoch;
    std::vector<BidEntry> entries;
    Blob frames;  ///< of the entries, one behind another
    friend bool operator==(const Wake&, const Wake&) = default;
};
/// The holder to who woke it: I live and send the token on.
struct WakeAck {
    Epoch epoch;
    friend bool operator==(const WakeAck&, const WakeAck&) = default;
};
/// Every round up to `round` is durable. A fact, true in every epoch.
struct DurableNotice {
    Round round;
    friend bool operator==(const DurableNotice&, const DurableNotice&) = default;
};

using Control = std::variant<Call, Answer, Content, Join, ViewTold, Ready, Suspect, Wake, WakeAck, DurableNotice>;

// --- link messages -------------------------------------------------------------------------------

/// Predecessor to successor, repeated until the welcome comes.
struct LinkHello {
    Epoch epoch;
    NodeId from;
    Incarnation incarnation;
    friend bool operator==(const LinkHello&, const LinkHello&) = default;
};
struct LinkWelcome {
    Epoch epoch;
    NodeId from;
    Incarnation incarnation;
    friend bool operator==(const LinkWelcome&, const LinkWelcome&) = default;
};
/// Successor to predecessor: this hop arrived and the token rests here, or it arrived before; do not resend it.
struct HopAck {
    Epoch epoch;
    Hop hop;
    friend bool operator==(const HopAck&, const HopAck&) = default;
};

/// How a bid that lies on the volume is known: what its bidder put last into its own file there.
struct PlacedBytes {
    std::uint64_t bytes = 0;
    std::uint64_t hash = 0;  ///< XXH3, 64 bits, of those bytes
    friend bool operator==(const PlacedBytes&, const PlacedBytes&) = default;
};

/// What a node puts into the open round: its clients' frames, untouched. The frames stand one behind another in
/// `chunks`; none crosses the border of a chunk, an empty frame does not occur. Where they are placed, the token carries
/// no chunks, and who closes the round fetches them (placed_bids.hpp).
struct Bid {
    NodeId node;
    std::vector<BidEntry> entries;
    std::vector<Blob> chunks;
    std::optional<PlacedBytes> placed = std::nullopt;
    /// Its frames lie on the volume and were not fetched, or could not be.
    [[nodiscard]] bool is_away() const { return placed && chunks.empty(); }
    [[nodiscard]] std::size_t bytes() const {
        if (is_away()) return placed->bytes;
        std::size_t sum = 0;
        for (const auto& chunk : chunks) sum += chunk.size();
        return sum;
    }
    friend bool operator==(const Bid&, const Bid&) = default;
};

/// The round that gathers bids. It is named by the hop at which it was opened.
struct OpenRound {
    Hop opened;
    NodeId opener;
    std::uint64_t votes = 0;  ///< bit k: node k voted
    bool full = false;        ///< somebody found no room for its bid; another member opens the next round
    std::vector<Bid> bids;    ///< the opener's own is added when it closes the round
    friend bool operator==(const OpenRound&, const OpenRound&) = default;
};

/// What became of a closed round, on its one lap.
struct ClosedRound {
    Hop opened;  ///< of the round, so that bidders know which of their bids it settles
    NodeId writer;
    SegmentNumber segment;              ///< where the writer decides now, also when it decided nothing there yet
    bool disk_full = false;             ///< nothing was taken: there is no space
    std::optional<RoundResult> result;  ///< none: nothing new in it, no slot was taken
    bool checkpoint = false;            ///< its writer begins a checkpoint with it, so nobody else need do so soon
    friend bool operator==(const ClosedRound&, const ClosedRound&) = default;
};

struct Token {
    Epoch epoch;
    Hop hop;
    std::optional<OpenRound> open;
    std::vector<ClosedRound> closed;
    friend bool operator==(const Token&, const Token&) = default;
};

using LinkMessage = std::variant<LinkHello, LinkWelcome, HopAck, Token>;

}  // namespace anel

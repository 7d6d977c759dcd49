// What goes into the core and what comes out of it. The shells perform the actions one by one, in order.
#pragma once

#include <string>
#include <variant>

#include "common/blob.hpp"
#include "common/client_protocol.hpp"
#include "common/instant.hpp"
#include "ring/core/messages.hpp"

namespace anel {

/// Names a PAIR socket of this node, from 1, never reused within one life.
using LinkId = Strong<struct LinkIdTag>;

/// Where a client's answer goes: the ROUTER's routing id, and whether the client is a REQ (empty delimiter frame).
struct Connection {
    std::string routing_id;
    bool delimiter = false;
    friend auto operator<=>(const Connection&, const Connection&) = default;
};

// --- inputs --------------------------------------------------------------------------------------

/// Time passed: a moment that next_wakeup() named has come, or any other.
struct Ticked {};
struct ControlArrived {
    NodeId from;
    Incarnation incarnation;
    Control message;
    CallId call_word;  ///< for a Call: what stands in the caller's mapped word now; else 0
};
struct LinkBound {
    LinkId link;
    std::string address;  ///< empty: no port was free
};
struct LinkArrived {
    LinkId link;
    LinkMessage message;
};
/// The peer's connection is gone; nothing more comes over this link, and nothing sent on it arrives for sure.
struct LinkDropped {
    LinkId link;
};
/// One frame of a client (without delimiter).
struct ClientArrived {
    Connection connection;
    Blob frame;
};
/// SIGTERM: finish what was taken, then leave.
struct LeaveAsked {};
/// Every round up to `round` is durable, by this node's own sync.
struct BecameDurable {
    Round round;
};

// Outcomes of the actions of the same name. They come before any other input.
struct Granted {
    Grant grant;
    History history;
};
struct GrantRefused {
    Epoch newest;            ///< the ledger's newest epoch now
    bool disk_full = false;  ///< there is no space for another segment
};
struct CaughtUp {
    History history;
};
struct RoundDecided {};
enum class DecideRefusal { fenced, disk_full };
struct RoundRefused {
    DecideRefusal why = DecideRefusal::fenced;
};
/// The round's text begins a new file of the output: nothing was decided, and it comes back.
struct OutputFull {
    RoundRecord record;
};
struct OutputWritten {};
struct Rotated {
    SegmentNumber segment;
};
struct RotationFenced {};
struct WordsRead {
    SegmentNumber segment;
    Words words;
};

using Input = std::variant<Ticked, ControlArrived, LinkBound, LinkArrived, LinkDropped, ClientArrived, LeaveAsked,
                           BecameDurable, Granted, GrantRefused, CaughtUp, RoundDecided, RoundRefused, OutputFull,
                           OutputWritten, Rotated, RotationFenced, WordsRead>;

// --- actions -------------------------------------------------------------------------------------

struct SendControl {
    NodeId to;
    Control message;
    friend bool operator==(const SendControl&, const SendControl&) = default;
};
/// Bind a fresh PAIR on a fresh port; LinkBound tells its address (at once, before any other input).
struct BindLink {
    LinkId link;
    friend bool operator==(const BindLink&, const BindLink&) = default;
};
struct ConnectLink {
    LinkId link;
    std::string address;
    friend bool operator==(const ConnectLink&, const ConnectLink&) = default;
};
struct CloseLink {
    LinkId link;
    friend bool operator==(const CloseLink&, const CloseLink&) = default;
};
struct SendLink {
    LinkId link;
    LinkMessage message;
    bool place_bid = false;  ///< of a token: put this node's bid on the volume, if that can be done (placed_bids.hpp)
    friend bool operator==(const SendLink&, const SendLink&) = default;
};
struct ReplyClient {
    Connection connection;
    ClientReply reply;
    friend bool operator==(const ReplyClient&, const ReplyClient&) = default;
};
/// Ledger::set_call_word of this node.
struct SetCallWord {
    CallId call;
    friend bool operator==(const SetCallWord&, const SetCallWord&) = default;
};
/// Ledger::grant, then Ledger::read. Outcome: Granted or GrantRefused.
struct AskGrant {
    Epoch highest_named;
    Round applied;
    friend bool operator==(const AskGrant&, const AskGrant&) = default;
};
/// Ledger::read. Outcome: CaughtUp.
struct CatchUp {
    Round applied;
    friend bool operator==(const CatchUp&, const CatchUp&) = default;
};
/// Ledger::write_record and Ledger::decide. Outcome: RoundDecided, RoundRefused or OutputFull.
struct DecideRound {
    SegmentNumber segment;
    RoundRecord record;
    friend bool operator==(const DecideRound&, const DecideRound&) = default;
};
/// Ledger::write_output. Outcome: OutputWritten, or the end of this node.
struct WriteOutput {
    Round round;
    friend bool operator==(const WriteOutput&, const WriteOutput&) = default;
};
/// Ledger::sync. Later, perhaps much later: BecameDurable, or the end of this node.
struct MakeDurable {
    SegmentNumber segment;
    Round round;
    friend bool operator==(const MakeDurable&, const MakeDurable&) = default;
};
/// Ledger::rotate. Outcome: Rotated, RotationFenced, or RoundRefused where there is no space.
struct RotateSegment {
    SegmentNumber current;
    Round last;
    std::optional<WallTime> new_output;  ///< of the round that begins a new file of the output; none: it goes on
    friend bool operator==(const RotateSegment&, const RotateSegment&) = default;
};
/// Ledger::checkpoint with Node::snapshot().
struct WriteCheckpoint {
    friend bool operator==(const WriteCheckpoint&, const WriteCheckpoint&) = default;
};
/// Ledger::words. Outcome: WordsRead.
struct ReadWords {
    SegmentNumber segment;
    friend bool operator==(const ReadWords&, const ReadWords&) = default;
};
/// This node is done: it has left the ring.
struct Stop {
    friend bool operator==(const Stop&, const Stop&) = default;
};

/// At most one action of a step has an outcome, and it is the last one.
using Action =
    std::variant<SendControl, BindLink, ConnectLink, CloseLink, SendLink, ReplyClient, SetCallWord, AskGrant, CatchUp,
                 DecideRound, WriteOutput, MakeDurable, RotateSegment, WriteCheckpoint, ReadWords, Stop>;
using Actions = std::vector<Action>;

}  // namespace anel

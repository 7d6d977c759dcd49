// The loop of a node: wait, step, perform. It decides nothing; it does what the core says, in that order.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "ring/core/ledger.hpp"
#include "ring/core/node.hpp"
#include "ring/core/placed_bids.hpp"
#include "ring/daemon/ending.hpp"
#include "ring/daemon/observer.hpp"
#include "ring/daemon/signals.hpp"
#include "ring/transport/mailbox.hpp"
#include "ring/transport/transport.hpp"

namespace anel {

/// What a ledger's sync thread reports: everything up to a round is durable, or why this node must end.
using SyncResult = Result<Round>;

/// What others may know of a running node; taken between two steps.
struct Report {
    NodeStatus node;
    RingCounters ring;
    RingHistograms histograms;
    TokenSeen token;
    std::deque<ViewSeen> views;
    LinkCounters links;
    ControlCounters control;
    ClientCounters clients;
    GuardCounters guard;
};
/// A question of another thread, answered on the loop's thread.
using Question = std::function<void(const Report&)>;

class Daemon {
public:
    struct Parts {
        Node& node;
        Ledger& ledger;
        Transport& transport;
        BidStore& bids;
        Signals& signals;
        Mailbox<SyncResult>& syncs;
        Mailbox<Question>& questions;
    };
    /// What the report becomes for whom.
    struct Texts {
        std::function<std::string(const Report&)> status;   ///< for a client's `status`
        std::function<std::string(const Report&)> figures;  ///< for another node, whose status page somebody looks at
    };
    Daemon(Parts parts, NodeId self, limits::ClientLimits limits, Texts texts);

    /// Until the node has left, or must end.
    [[nodiscard]] Ending run();

private:
    struct Ready {
        bool signals = false;
        bool syncs = false;
        bool questions = false;
    };
    void take_turn();
    void take_clients();
    [[nodiscard]] bool answer_status(const ClientArrived& arrived);
    [[nodiscard]] Report report() const;

    /// One input and all that follows from it: outcomes of actions come before anything else.
    void step(Input input);
    void perform(const SetCallWord& action);
    void perform(const AskGrant& action);
    void perform(const CatchUp& action);
    void perform(DecideRound& action);
    void perform(const WriteOutput& action);
    void perform(const MakeDurable& action);
    void perform(const RotateSegment& action);
    void perform(const WriteCheckpoint& action);
    void perform(const ReadWords& action);
    void perform(const Stop& action);
    void perform(const BindLink& action);
    void perform(const SendControl& action);
    void perform(SendLink& action);
    void perform(const auto& action) { parts_.transport.perform(action); }
    void refuse_grant(Round applied, bool disk_full);
    void end(const Error& error);

    Parts parts_;
    NodeId self_;
    limits::ClientLimits limits_;
    Texts texts_;
    Observer observer_;
    Ready ready_;
    std::vector<Input> arrived_;
    std::deque<Input> pending_;  ///< outcomes that were not stepped yet
    std::optional<Ending> ending_;
};

}  // namespace anel

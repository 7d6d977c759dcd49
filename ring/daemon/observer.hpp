// Watches the inputs and actions that pass between core and world: it counts, and says each view change and why.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "ring/core/io.hpp"
#include "ring/core/node.hpp"
#include "ring/daemon/ack_timer.hpp"
#include "ring/transport/client_guard.hpp"

namespace anel {

struct RingCounters {
    std::uint64_t tokens_received = 0;
    std::uint64_t rounds_decided = 0;
    std::uint64_t messages_decided = 0;
    std::uint64_t output_bytes = 0;
    std::uint64_t rounds_fenced = 0;
    std::uint64_t rounds_disk_full = 0;
    std::uint64_t grants = 0;
    std::uint64_t grants_refused = 0;
    std::uint64_t views = 0;
    std::uint64_t client_frames = 0;
    std::uint64_t acks = 0;
    std::uint64_t rejects = 0;
    std::uint64_t busys = 0;
    std::uint64_t checkpoints = 0;
};

struct RingHistograms {
    Histogram ack_us;          ///< from a push taken to its ack sent
    Histogram lap_us;          ///< from the token sent with an open round to its return
    Histogram round_messages;  ///< of rounds decided here
    Histogram batch_messages;  ///< of pushes that came here
};

/// The token as it came here or went away last.
struct TokenSeen {
    struct Bidder {
        NodeId node;
        std::size_t frames = 0;
    };
    Epoch epoch;
    Hop hop;            ///< 0: none was seen
    bool open = false;  ///< it had an open round, of which the rest speaks
    NodeId opener;
    std::uint64_t votes = 0;
    std::vector<Bidder> bids;
};

/// A view that this node entered, or that ended under it.
struct ViewSeen {
    Epoch epoch;
    NodeId coordinator;
    std::vector<NodeId> members;
    std::string why;
    std::int64_t wall_us = 0;
};

class Observer {
public:
    explicit Observer(NodeId self) : self_{self} {}
    void saw(const Input& input, Moment now);
    void saw(const Action& action, Moment now);
    /// Says at most every few seconds what became of connections.
    void saw(const GuardCounters& guard, Instant now);
    /// After a step whose input may have changed the view.
    void after(const NodeStatus& status, Moment now);
    /// Whether the status is worth looking at after this input: views do not change with each token.
    [[nodiscard]] bool may_change_view(const Input& input) const;
    [[nodiscard]] const RingCounters& counters() const { return counters_; }
    [[nodiscard]] const RingHistograms& histograms() const { return histograms_; }
    [[nodiscard]] const TokenSeen& token() const { return token_; }
    /// The latest views, the newest last.
    [[nodiscard]] const std::deque<ViewSeen>& views() const { return views_; }

private:
    void token_came(const Token& token, Instant now);
    void token_goes(const Token& token, Instant now);
    void look_at(const Token& token);

    NodeId self_;
    RingCounters counters_;
    RingHistograms histograms_;
    AckTimer ack_timer_;
    TokenSeen token_;
    std::optional<Instant> lap_began_;
    std::deque<ViewSeen> views_;
    GuardCounters guard_;  ///< as it was said last
    Instant guard_said_{};
    std::string reason_ = "start";  ///< the last thing that may end a view
    std::optional<Epoch> epoch_;
    Phase phase_ = Phase::seeking;
};

[[nodiscard]] std::string_view name_of(SuspectReason reason);
/// "0 2 3"
[[nodiscard]] std::string names_of(const std::vector<Member>& members);

}  // namespace anel

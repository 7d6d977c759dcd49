// The token's way through this node: accept or drop it, vote, close rounds, write, forward, resend, park, wake.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "ring/core/clients.hpp"
#include "ring/core/context.hpp"
#include "ring/core/messages.hpp"

namespace anel {

/// Why an epoch has to end, as this node found it.
struct Trouble {
    SuspectReason reason = SuspectReason::token_overdue;
    NodeId about;
};

/// One epoch's token as one member sees it.
///
/// Within an epoch there is one token: its coordinator starts it once, it is taken only from the link of the present
/// view, and only at a hop above every hop seen. That is safety, not hygiene (docs/DESIGN.md section 3).
class Passage {
public:
    Passage(Context& context, Clients& clients) : context_{context}, clients_{clients} {}

    /// The view is entered and its links stand. @param outbound  none where this node is the only member.
    void begin(const View& view, std::optional<LinkId> outbound);
    /// The epoch is over: whatever was held is void.
    void end();
    /// The coordinator makes the epoch's only token.
    void start();

    void token_arrived(Token token);
    void hop_acked(const HopAck& ack);
    void wake_arrived(NodeId from, const Wake& wake);
    void wake_acked();
    /// Clients may have something new.
    void work_came();
    void ticked();
    /// Asks the holder of a silent token for a sign of life.
    void probe();
    /// The segment is sealed: by the holder, who goes on in another one, or because the epoch is over.
    void found_sealed();

    void round_decided();
    void round_refused(DecideRefusal why);
    void output_written();
    /// This round begins a new file of the output.
    void output_full(RoundRecord record);
    void rotated(SegmentNumber segment);
    void rotation_fenced() { trouble_ = Trouble{SuspectReason::fenced, context_.config.self}; }
    /// Own sync reached `round`: tells who has messages in the rounds up to it.
    void became_durable(Round round);

    [[nodiscard]] std::optional<Trouble> take_trouble() { return std::exchange(trouble_, std::nullopt); }
    /// The token passed, or its holder gave a sign of life, within the token time-out; or it is here.
    [[nodiscard]] bool is_content() const;
    [[nodiscard]] bool holds() const { return held_.has_value(); }
    /// Nothing of the ring's depends on this node going on now: the token is elsewhere or parked, all written is synced.
    [[nodiscard]] bool may_leave() const { return (!held_ || parked()) && undurable_.empty(); }
    [[nodiscard]] bool has_seen(Hop hop) const { return hop <= last_hop_; }
    /// The token is here and stays until somebody has work.
    [[nodiscard]] bool rests() const { return hold_ == Hold::parked || hold_ == Hold::lingering; }
    [[nodiscard]] bool parked() const { return hold_ == Hold::parked; }
    [[nodiscard]] bool moved() const { return last_hop_.value > 0; }
    [[nodiscard]] SegmentNumber segment() const { return segment_; }
    /// This process did not run for a while: what looks overdue may be so through its own fault.
    void forgive() { progress_at_ = sent_at_ = context_.now.steady; }
    [[nodiscard]] std::optional<Instant> next_wakeup() const;
    void check_invariants() const;

private:
    enum class Hold {
        none,       ///< the token is elsewhere
        lingering,  ///< a round was opened here and waits for bids of others
        rotating,   ///< the ledger was asked for a new segment
        deciding,   ///< the ledger was asked to decide
        writing,    ///< decided; the output is being written
        parked,     ///< nobody has work; an open round that is held has every other member's vote "none"
    };

    /// @param handed_over  the token came for this node's work, which is done.
    void serve(bool handed_over);
    void serve_own_round();
    void park();
    void take_closed_rounds();
    void vote(std::size_t room, bool token_is_empty);
    [[nodiscard]] std::size_t bid_bytes() const;
    void open_round();
    void close_round();
    void decide(RoundRecord record);
    void rotate(RoundRecord record, std::optional<WallTime> new_output);
    void finish_round(ClosedRound closed);
    [[nodiscard]] ClosedRound closed_round() const;
    void forward();
    void go_solo();
    void send();
    /// The token that is sent has a bid of this node that need not travel.
    [[nodiscard]] bool places_bid() const;
    void enter(SegmentNumber segment);
    void apply(const RoundResult& result);
    /// @return whether it was.
    [[nodiscard]] bool checkpoint_if_due();
    /// A round that lingers would hold up the results on the token; they go first.
    [[nodiscard]] bool may_open() const { return context_.config.linger == Duration::zero() || held_->closed.empty(); }
    [[nodiscard]] bool solo() const { return view_.members.size() == 1; }
    [[nodiscard]] bool expects_token() const;
    [[nodiscard]] std::uint64_t all_votes() const;
    [[nodiscard]] bool elected() const;
    /// What would go into a round that closes here and is on no token.
    [[nodiscard]] bool has_bids_here() const { return clients_.has_work() || !woken_bids_.empty(); }
    void add_woken_bids(OpenRound& open);
    void count_lone_bidder(const OpenRound& open);
    [[nodiscard]] Wake wake() const;
    [[nodiscard]] NodeId successor() const;
    void tell_members(const Control& message);

    Context& context_;
    Clients& clients_;
    View view_;
    std::optional<LinkId> outbound_;
    SegmentNumber segment_;
    Hop last_hop_;
    Hold hold_ = Hold::none;
    std::optional<Token> held_;
    std::optional<Token> sent_;  ///< forwarded and not acked
    Instant sent_at_;
    Instant resend_at_;
    Instant linger_until_;
    std::optional<RoundRecord> record_;  ///< built, and waiting for a new segment
    std::optional<RoundResult> result_;  ///< of the round being decided or written
    std::uint64_t bidders_ = 0;          ///< of the round being decided
    bool others_bid_ = false;            ///< other members' bids were on the token of that round
    std::optional<Hop> bid_in_;          ///< the open round with this node's bid

    NodeId presumed_holder_;             ///< where the token parks: who closed or opened the last round
    std::uint64_t woken_ = 0;            ///< who has work, by their wakes
    std::map<NodeId, Bid> woken_bids_;   ///< what came with their wakes, for the round that closes here next
    std::optional<NodeId> lone_bidder_;  ///< whose copies alone made the last rounds that closed here
    unsigned lone_rounds_ = 0;           ///< so many of them in a row
    bool bids_seen_ = false;             ///< the token left here with bids: it comes back with their result
    std::optional<Instant> wake_at_;     ///< the next wake to send
    Instant progress_at_;                ///< last sign that the token lives
    bool expecting_ = false;
    bool probing_ = false;

    std::deque<std::pair<Round, std::uint64_t>> undurable_;  ///< rounds written here, and whose bids are in them
    std::uint64_t segment_bytes_ = 0;
    std::uint64_t checkpoint_bytes_ = 0;
    std::uint64_t checkpoint_rounds_ = 0;
    std::optional<Trouble> trouble_;
};

}  // namespace anel

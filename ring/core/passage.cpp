#include "ring/core/passage.hpp"

#include "common/assert.hpp"
#include "ring/core/round_builder.hpp"

namespace anel {
namespace {

/// So many rounds in a row of one other member alone, and the token goes to rest at it.
constexpr unsigned follow_after = 3;

constexpr std::uint64_t bit(NodeId node) { return std::uint64_t{1} << node.value; }

RoundResult result_of(const RoundRecord& record, SegmentNumber segment) {
    return {segment, record.round, record.first, record.count, record.wall_us, record.text.size(), record.changes};
}

}  // namespace

void Passage::begin(const View& view, std::optional<LinkId> outbound) {
    end();
    view_ = view;
    outbound_ = outbound;
    segment_ = view.segment;
    segment_bytes_ = 0;
    last_hop_ = Hop{};
    presumed_holder_ = view.coordinator;
    progress_at_ = context_.now.steady;
}

void Passage::end() {
    held_.reset();
    sent_.reset();
    record_.reset();
    result_.reset();
    bid_in_.reset();
    hold_ = Hold::none;
    woken_ = 0;
    woken_bids_.clear();
    lone_bidder_.reset();
    bids_seen_ = expecting_ = probing_ = false;
    wake_at_.reset();
    trouble_.reset();
    undurable_.clear();
}

void Passage::start() {
    ANEL_ASSERT(!moved());
    ANEL_ASSERT(view_.coordinator == context_.config.self);
    held_ = Token{view_.epoch, Hop{1}, std::nullopt, {}};
    last_hop_ = held_->hop;
    // The first round may be empty: its lap shows every member that the ring stands.
    held_->open = OpenRound{held_->hop, context_.config.self, 0, false, {}};
    forward();
}

void Passage::token_arrived(Token token) {
    if (token.epoch != view_.epoch || !outbound_) return;
    if (has_seen(token.hop) || held_) return;  // a resent hop; the caller acks it
    last_hop_ = token.hop;
    held_ = std::move(token);
    sent_.reset();  // a token that comes round acks every hop before it
    progress_at_ = context_.now.steady;
    wake_at_.reset();
    const bool asked_for_it = expecting_ && !probing_;
    expecting_ = probing_ = false;
    take_closed_rounds();
    // Its work was done by others: the token was handed over, and may rest here.
    if (!trouble_) serve(asked_for_it && !clients_.has_work());
}

/// Applies what other members closed; what this node closed has made its lap.
void Passage::take_closed_rounds() {
    std::erase_if(held_->closed, [&](const ClosedRound& round) { return round.writer == context_.config.self; });
    for (const auto& round : held_->closed) {
        presumed_holder_ = round.writer;
        enter(round.segment);
        if (round.result && round.result->round == context_.tip.round.next()) {
            apply(*round.result);
        } else if (round.result && round.result->round > context_.tip.round) {
            trouble_ =
                Trouble{SuspectReason::fenced, context_.config.self};  // cannot follow: enter again, from the ledger
            return;
        }
        if (round.checkpoint) checkpoint_bytes_ = checkpoint_rounds_ = 0;
        if (bid_in_ == round.opened) {
            bid_in_.reset();
            clients_.settled(round.disk_full);
        }
    }
}

/// Whoever closes the next round has to decide it in the segment that the holder before it left behind.
void Passage::enter(SegmentNumber segment) {
    if (segment == segment_) return;
    segment_ = segment;
    segment_bytes_ = 0;
}

void Passage::apply(const RoundResult& result) {
    context_.apply(result);
    const std::uint64_t journal_bytes = result.output_bytes + 256 + 192 * result.changes.size();
    segment_bytes_ += journal_bytes;
    checkpoint_bytes_ += journal_bytes;
    ++checkpoint_rounds_;
    clients_.applied(result);
}

void Passage::serve(bool handed_over) {
    if (held_->open && held_->open->opener == context_.config.self) {
        serve_own_round();
    } else if (held_->open) {
        presumed_holder_ = held_->open->opener;
        woken_bids_.clear();  // the token is another's: their senders bid them to it
        const std::size_t bytes = bid_bytes();
        vote(context_.config.token_bytes - std::min(bytes, context_.config.token_bytes), bytes == 0);
        forward();
    } else if ((clients_.has_work() || woken_ != 0 || handed_over) && may_open()) {
        open_round();
    } else if (held_->closed.empty()) {
        park();
    } else {
        forward();
    }
}

/// The lap is complete. A round that gathered nothing stays open while the token rests here: all others have voted
/// "none", so what comes now is elected at once, without another lap.
void Passage::serve_own_round() {
    if (has_bids_here() || !held_->open->bids.empty()) {
        close_round();
    } else if (!elected()) {
        trouble_ = Trouble{SuspectReason::fenced, context_.config.self};
    } else if (woken_ != 0) {
        open_round();
    } else {
        // Who lingers waits for bids of others with each round, from its first message on. Results of others cannot be
        // here: they made their lap while this round made its own. If they are, they go on.
        if (context_.config.linger > Duration::zero() || !held_->closed.empty()) held_->open.reset();
        held_->closed.empty() ? park() : forward();
    }
}

void Passage::park() {
    hold_ = Hold::parked;
    presumed_holder_ = context_.config.self;
}

std::size_t Passage::bid_bytes() const {
    std::size_t bytes = 0;
    for (const auto& bid : held_->open->bids) bytes += bid.bytes();
    return bytes;
}

void Passage::vote(std::size_t room, bool token_is_empty) {
    auto& open = *held_->open;
    if ((open.votes & bit(context_.config.self)) != 0) return;
    if (auto bid = clients_.make_bid(room, token_is_empty)) {
        open.bids.push_back(std::move(*bid));
        bid_in_ = open.opened;
    } else if (clients_.has_work()) {
        open.full = true;
    }
    open.votes |= bit(context_.config.self);
}

/// The opener's own bid stays off the token; it is added when the round comes back.
void Passage::open_round() {
    woken_bids_.clear();  // their senders bid them on this lap
    presumed_holder_ = context_.config.self;
    held_->open = OpenRound{held_->hop, context_.config.self, 0, false, {}};
    if (clients_.has_work()) woken_ |= bit(context_.config.self);
    if (context_.config.linger > Duration::zero() && woken_ != all_votes()) {
        hold_ = Hold::lingering;
        linger_until_ = context_.now.steady + context_.config.linger;
        return;
    }
    woken_ = 0;
    forward();
}

void Passage::close_round() {
    vote(context_.config.bid_bytes, true);  // the own bid is never on the token, so there is always room for it
    if (!elected()) {
        // Not elected: a member passed it on without its mark, which no correct one does. The epoch ends; all is bid again.
        trouble_ = Trouble{SuspectReason::fenced, context_.config.self};
        return;
    }
    auto& open = *held_->open;
    if (const auto lost =
            std::find_if(open.bids.begin(), open.bids.end(), [](const Bid& bid) { return bid.is_away(); });
        lost != open.bids.end()) {
        trouble_ = Trouble{SuspectReason::bid_lost, lost->node};
        return;
    }
    others_bid_ = !open.bids.empty() && (open.bids.size() > 1 || open.bids.front().node != context_.config.self);
    add_woken_bids(open);
    count_lone_bidder(open);
    bidders_ = 0;
    for (const auto& bid : open.bids) bidders_ |= bit(bid.node);
    auto record = build_round(context_, view_, std::move(open.bids));
    if (!record) {
        finish_round(closed_round());
    } else if (segment_bytes_ > context_.config.segment_bytes) {
        rotate(std::move(*record), std::nullopt);
    } else {
        decide(std::move(*record));
    }
}

/// Who has bid on the token has bid what came with its wake, or will.
void Passage::add_woken_bids(OpenRound& open) {
    for (auto& [node, bid] : woken_bids_) {
        const bool has_bid = std::any_of(open.bids.begin(), open.bids.end(),
                                         [&, id = node](const Bid& other) { return other.node == id; });
        if (!has_bid) open.bids.push_back(std::move(bid));
    }
    woken_bids_.clear();
}

void Passage::count_lone_bidder(const OpenRound& open) {
    const bool lone = !others_bid_ && open.bids.size() == 1 && open.bids.front().node != context_.config.self;
    const auto bidder = lone ? std::optional{open.bids.front().node} : std::nullopt;
    lone_rounds_ = !lone ? 0 : bidder == lone_bidder_ ? lone_rounds_ + 1 : 1;
    lone_bidder_ = bidder;
}

void Passage::rotate(RoundRecord record, std::optional<WallTime> new_output) {
    hold_ = Hold::rotating;
    record_ = std::move(record);
    context_.act(RotateSegment{segment_, context_.tip.round, new_output});
}

void Passage::output_full(RoundRecord record) {
    ANEL_ASSERT(hold_ == Hold::deciding);
    result_.reset();
    const auto wall_us = record.wall_us;
    rotate(std::move(record), wall_us);
}

void Passage::rotated(SegmentNumber segment) {
    ANEL_ASSERT(hold_ == Hold::rotating);
    enter(segment);
    decide(*std::exchange(record_, std::nullopt));
}

void Passage::decide(RoundRecord record) {
    hold_ = Hold::deciding;
    result_ = result_of(record, segment_);
    context_.act(DecideRound{segment_, std::move(record)});
}

void Passage::round_decided() {
    ANEL_ASSERT(hold_ == Hold::deciding);
    apply(*result_);
    hold_ = Hold::writing;
    context_.act(WriteOutput{result_->round});
}

void Passage::round_refused(DecideRefusal why) {
    // Also where a new segment had no room: then the old one stands as it is.
    ANEL_ASSERT(hold_ == Hold::deciding || hold_ == Hold::rotating);
    result_.reset();
    record_.reset();
    switch (why) {
        case DecideRefusal::fenced: trouble_ = Trouble{SuspectReason::fenced, context_.config.self}; return;
        case DecideRefusal::disk_full: break;
    }
    auto closed = closed_round();
    closed.disk_full = true;
    finish_round(std::move(closed));
}

void Passage::output_written() {
    ANEL_ASSERT(hold_ == Hold::writing);
    undurable_.emplace_back(result_->round, bidders_);
    context_.act(MakeDurable{segment_, result_->round});
    auto closed = closed_round();
    closed.result = std::exchange(result_, std::nullopt);
    closed.checkpoint = checkpoint_if_due();
    finish_round(std::move(closed));
}

bool Passage::checkpoint_if_due() {
    const auto& config = context_.config;
    if (checkpoint_bytes_ < config.checkpoint_bytes && checkpoint_rounds_ < config.checkpoint_rounds) return false;
    checkpoint_bytes_ = checkpoint_rounds_ = 0;
    context_.act(WriteCheckpoint{});
    return true;
}

ClosedRound Passage::closed_round() const {
    return {held_->open->opened, context_.config.self, segment_, false, std::nullopt};
}

void Passage::finish_round(ClosedRound closed) {
    hold_ = Hold::none;
    const bool others_turn = held_->open->full;
    held_->open.reset();
    presumed_holder_ = context_.config.self;
    const bool own_bid = bid_in_ == closed.opened;
    const bool disk_full = closed.disk_full;
    held_->closed.push_back(std::move(closed));
    if (own_bid) {
        bid_in_.reset();
        clients_.settled(disk_full);
    }
    // With bids on the token the ring is busy: who has work next opens, so that all take turns in writing. Else this node
    // opens, also where nobody is known to have work: the lap that tells the result gathers the next votes. Where all
    // work comes from one other member, that one opens, and the token rests there from now on.
    const bool hand_over = lone_rounds_ >= follow_after && (woken_ & ~bit(*lone_bidder_)) == 0;
    if (hand_over) woken_ = lone_rounds_ = 0;
    const bool mine = clients_.has_work() || (!others_bid_ && !hand_over);
    if (may_open() && !others_turn && mine) open_round();
    else forward();
}

void Passage::forward() {
    hold_ = Hold::none;
    bids_seen_ = held_->open && !held_->open->bids.empty();
    held_->hop = held_->hop.next();
    if (solo()) {
        go_solo();
        return;
    }
    sent_ = std::move(*held_);
    held_.reset();
    sent_at_ = context_.now.steady;
    send();
}

/// A ring of one: the token is back at once.
void Passage::go_solo() {
    last_hop_ = held_->hop;
    held_->closed.clear();
    serve(false);
}

void Passage::send() {
    resend_at_ = context_.now.steady + context_.config.timing.hop_resend;
    context_.act(SendLink{*outbound_, *sent_, places_bid()});
}

bool Passage::places_bid() const {
    const auto from = context_.config.place_bids_from;
    if (from == 0 || context_.now.steady < context_.place_bids_after) return false;
    if (!sent_->open || bid_in_ != sent_->open->opened) return false;
    const auto& bids = sent_->open->bids;
    return std::any_of(bids.begin(), bids.end(),
                       [&](const Bid& bid) { return bid.node == context_.config.self && bid.bytes() >= from; });
}

void Passage::hop_acked(const HopAck& ack) {
    if (ack.epoch == view_.epoch && sent_ && ack.hop == sent_->hop) sent_.reset();
}

void Passage::wake_arrived(NodeId from, const Wake& wake) {
    woken_ |= bit(from);
    if (!wake.entries.empty()) woken_bids_.insert_or_assign(from, Bid{from, wake.entries, {wake.frames}});
    if (!held_) return;
    if (hold_ == Hold::parked || hold_ == Hold::lingering) context_.tell(from, WakeAck{view_.epoch});
    work_came();
}

Wake Passage::wake() const {
    Wake wake{view_.epoch, {}, {}};
    if (context_.config.linger == Duration::zero()) clients_.add_copies(wake);
    return wake;
}

void Passage::wake_acked() {
    progress_at_ = context_.now.steady;
    probing_ = false;
    if (wake_at_) wake_at_ = context_.now.steady + context_.config.timing.token_timeout / 3;
}

void Passage::work_came() {
    if (hold_ == Hold::parked) {
        if (held_->open && has_bids_here()) close_round();
        else if (clients_.has_work() || woken_ != 0) open_round();
    } else if (hold_ == Hold::lingering) {
        if (clients_.has_work()) woken_ |= bit(context_.config.self);
        if (woken_ != all_votes()) return;
        woken_ = 0;
        forward();
    } else if (!held_ && expects_token() && !expecting_) {
        expecting_ = true;
        progress_at_ = context_.now.steady;
        if (bids_seen_) {
            wake_at_ = context_.now.steady + context_.config.timing.token_timeout / 3;
            return;
        }
        wake_at_ = context_.now.steady + context_.config.timing.wake_resend;
        if (presumed_holder_ != context_.config.self) context_.tell(presumed_holder_, wake());
    }
}

void Passage::probe() {
    if (held_) return;
    probing_ = true;
    work_came();
}

void Passage::found_sealed() {
    if (held_) trouble_ = Trouble{SuspectReason::fenced, context_.config.self};
    else probe();
}

bool Passage::expects_token() const { return clients_.has_work() || clients_.has_bid() || probing_; }

void Passage::ticked() {
    const auto now = context_.now.steady;
    if (hold_ == Hold::lingering && now >= linger_until_) {
        woken_ = 0;
        forward();
        return;
    }
    if (sent_) {
        if (now >= sent_at_ + context_.overdue_after()) {
            trouble_ = Trouble{SuspectReason::token_overdue, successor()};
            return;
        }
        if (now >= resend_at_) send();
    }
    if (!expects_token()) expecting_ = false;
    if (!held_ && expecting_) {
        if (now >= progress_at_ + context_.overdue_after()) {
            trouble_ = Trouble{SuspectReason::token_overdue, context_.config.self};
            return;
        }
        if (wake_at_ && now >= *wake_at_) {
            wake_at_ = now + context_.config.timing.wake_resend;
            tell_members(wake());
        }
    }
}

void Passage::became_durable(Round round) {
    std::uint64_t waiting = 0;
    while (!undurable_.empty() && undurable_.front().first <= round) {
        waiting |= undurable_.front().second;
        undurable_.pop_front();
    }
    for (const auto& member : view_.members) {
        if (member.id != context_.config.self && (waiting & bit(member.id)) != 0) {
            context_.tell(member.id, DurableNotice{round});
        }
    }
}

bool Passage::is_content() const {
    return held_ || context_.now.steady < progress_at_ + context_.config.timing.token_timeout;
}

bool Passage::elected() const { return (held_->open->votes | bit(context_.config.self)) == all_votes(); }

std::uint64_t Passage::all_votes() const {
    std::uint64_t votes = 0;
    for (const auto& member : view_.members) votes |= bit(member.id);
    return votes;
}

NodeId Passage::successor() const {
    for (const auto& member : view_.members) {
        if (member.id > context_.config.self) return member.id;
    }
    return view_.members.front().id;
}

void Passage::tell_members(const Control& message) {
    for (const auto& member : view_.members) {
        if (member.id != context_.config.self) context_.tell(member.id, message);
    }
}

std::optional<Instant> Passage::next_wakeup() const {
    std::optional<Instant> soonest;
    const auto timeout = context_.overdue_after();
    if (hold_ == Hold::lingering) sooner(soonest, linger_until_);
    if (sent_) sooner(soonest, std::min(resend_at_, sent_at_ + timeout));
    if (!held_ && expecting_) {
        sooner(soonest, progress_at_ + timeout);
        sooner(soonest, wake_at_);
    }
    return soonest;
}

void Passage::check_invariants() const {
    // A hold is a hold of something.
    ANEL_ASSERT(held_.has_value() || hold_ == Hold::none);
    // What is held is not also under way.
    ANEL_ASSERT(!held_ || !sent_);
    // A parked token carries nothing but, perhaps, this node's own open round in which the others voted "none".
    ANEL_ASSERT(hold_ != Hold::parked || held_->closed.empty());
    ANEL_ASSERT(hold_ != Hold::parked || !held_->open || held_->open->bids.empty());
}

}  // namespace anel

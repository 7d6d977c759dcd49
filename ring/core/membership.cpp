#include "ring/core/membership.hpp"

#include "common/assert.hpp"

namespace anel {
namespace {

/// So many candidates at once are answered; the offer made to the one before is taken back.
constexpr std::size_t offers_max = 4;

}  // namespace

Membership::Membership(Context& context, MembershipListener& listener)
    : context_{context}, listener_{listener}, excluded_{context.config.self} {
    highest_ = context_.tip.epoch;
    since_ = context_.now.steady;
    call_at_ = turn();
}

// --- seeking -------------------------------------------------------------------------------------

void Membership::go(Phase phase) {
    phase_ = phase;
    since_ = context_.now.steady;
}

/// Leaves the epoch, if there is one, and waits for the own turn to call. The links stay open until the next view, so
/// that closing them is no news of a death to the neighbours.
void Membership::seek() {
    if (in_epoch()) listener_.epoch_left();
    go(Phase::seeking);
    rest_until_.reset();
    change_at_.reset();
    call_at_ = turn();
    callers_.clear();  // they will call again
}

/// The lowest that lives calls at once, the k-th after k times a short delay. Who found no space for an epoch calls after
/// all others, who may find some: it would be answered each time and stop the ring for ever.
Instant Membership::turn() const {
    auto rank = context_.now.steady < others_first_until_ ? static_cast<int>(context_.config.nodes.size()) : 0;
    for (const auto node : expected()) {
        if (node < context_.config.self) ++rank;
    }
    return context_.now.steady + rank * context_.config.timing.call_stagger;
}

/// Who is likely to answer: the last view without those known to be gone, with those who asked to join.
std::set<NodeId> Membership::expected() const {
    std::set<NodeId> nodes;
    if (view_) {
        for (const auto& known : view_->members) nodes.insert(known.id);
    } else {
        nodes = context_.config.nodes;
    }
    nodes.insert(joiners_.begin(), joiners_.end());
    std::erase_if(nodes, [&](NodeId node) { return gone_.contains(node) || excluded(node); });
    return nodes;
}

bool Membership::excluded(NodeId node) const { return excluded_.has(node, context_.now.steady); }

void Membership::begin_call() {
    go(Phase::calling);
    call_ = CallId{context_.random() | 1U};
    answers_.clear();
    rest_until_.reset();
    context_.act(SetCallWord{call_});
    offer_link(context_.config.self, call_);
}

void Membership::offer_link(NodeId candidate, CallId call) {
    if (offers_.size() == offers_max) {
        context_.act(CloseLink{offers_.front().link});
        offers_.pop_front();
    }
    const auto patience = context_.now.steady + context_.config.timing.answer_patience;
    offers_.push_back({call, candidate, LinkId{++last_link_}, {}, std::nullopt, patience});
    context_.act(BindLink{offers_.back().link});
}

Membership::Offer* Membership::offer_by_call(CallId call) {
    const auto found =
        std::find_if(offers_.begin(), offers_.end(), [&](const Offer& offer) { return offer.call == call; });
    return found == offers_.end() ? nullptr : &*found;
}

Membership::Offer* Membership::offer_by_link(LinkId link) {
    const auto found =
        std::find_if(offers_.begin(), offers_.end(), [&](const Offer& offer) { return offer.link == link; });
    return found == offers_.end() ? nullptr : &*found;
}

/// Another candidate with a lower id was answered just now; it is left alone for a while.
bool Membership::trusts_another(NodeId candidate) const {
    return std::any_of(offers_.begin(), offers_.end(), [&](const Offer& offer) {
        return offer.candidate != context_.config.self && offer.candidate < candidate &&
               context_.now.steady < offer.until && !gone_.contains(offer.candidate);
    });
}

void Membership::link_bound(LinkId link, const std::string& address) {
    auto* offer = offer_by_link(link);
    if (!offer) return;
    offer->address = address;
    if (address.empty()) {  // no port was free: nobody could connect, so this node offers nothing now
        if (phase_ == Phase::calling) go(Phase::seeking);
        call_at_ = turn() + context_.config.timing.call_again;
        return;
    }
    if (phase_ == Phase::calling) {
        for (const auto node : context_.config.nodes) {
            if (node != context_.config.self) context_.tell(node, Call{call_, context_.ledger, highest_, disk_full_});
        }
        grant_if_enough();
    } else if (phase_ == Phase::seeking) {
        answer(*offer);
    }
}

void Membership::answer(const Offer& offer) {
    context_.tell(offer.candidate, Answer{offer.call, highest_, offer.address});
    const auto patience = context_.now.steady + context_.config.timing.answer_patience;
    call_at_ = std::max(call_at_, patience + (turn() - context_.now.steady));
}

void Membership::call_arrived(NodeId from, Incarnation incarnation, const Call& call, CallId call_word) {
    // The candidate has written the same number into the ledger that this node reads: they share one page.
    if (call.ledger != context_.ledger || call_word != call.call || excluded(from)) return;
    if (!in_epoch() && excluded_.keeps_away_from_call(context_.now.steady, context_.config.timing.token_timeout))
        return;
    gone_.erase(from);
    if (!in_epoch()) disk_full_ = call.disk_full;
    if (in_epoch()) {
        const auto* known = member(from);
        const bool left_it = known && known->incarnation == incarnation && call.highest >= view_->epoch;
        if (left_it || call.highest > view_->epoch) {
            highest_ = std::max(highest_, call.highest);
            seek();
        } else if (phase_ == Phase::entering || listener_.is_content()) {
            context_.tell(from, Content{view_->epoch, view_->coordinator});
            return;
        } else {
            callers_.insert(from);
            listener_.probe();
            return;
        }
    }
    highest_ = std::max(highest_, call.highest);
    if (phase_ == Phase::calling) {
        if (from > context_.config.self) return;  // it yields to this node's call
        go(Phase::seeking);
        rest_until_.reset();
    }
    if (phase_ != Phase::seeking) return;
    if (const auto* offer = offer_by_call(call.call)) {
        if (!offer->address.empty()) answer(*offer);
    } else if (!trusts_another(from)) {
        offer_link(from, call.call);
    }
}

// --- candidate -----------------------------------------------------------------------------------

void Membership::answer_arrived(NodeId from, Incarnation incarnation, const Answer& answer) {
    gone_.erase(from);
    if (phase_ != Phase::calling || answer.call != call_ || !context_.config.nodes.contains(from)) return;
    if (excluded(from)) return;
    highest_ = std::max(highest_, answer.highest);
    answers_[from] = Member{from, incarnation, answer.link_address};
    grant_if_enough();
}

/// A majority at least; then all that are likely to answer, or a short wait for them.
void Membership::grant_if_enough() {
    if (phase_ != Phase::calling || answers_.size() + 1 < context_.config.majority()) return;
    const auto& timing = context_.config.timing;
    const auto has_answered = [&](NodeId node) { return node == context_.config.self || answers_.contains(node); };
    const auto likely = expected();
    const bool all = std::all_of(likely.begin(), likely.end(), has_answered);
    if (!all) {
        if (!rest_until_) rest_until_ = context_.now.steady + (view_ ? timing.call_rest : timing.call_rest_cold);
        if (context_.now.steady < *rest_until_) return;
    }
    go(Phase::granting);
    context_.act(AskGrant{highest_, context_.tip.round});
}

void Membership::granted(const Grant& grant) {
    ANEL_ASSERT(phase_ == Phase::granting);
    View view{grant.epoch, context_.config.self, grant.segment, {}};
    const auto* offer = offer_by_call(call_);
    ANEL_ASSERT(offer);
    answers_[context_.config.self] = Member{context_.config.self, context_.incarnation, offer->address};
    for (const auto& [id, answered] : answers_) view.members.push_back(answered);
    context_.act(SetCallWord{CallId{}});
    enter(view);
    send_views();
    caught_up();
}

void Membership::grant_refused(const GrantRefused& refused) {
    ANEL_ASSERT(phase_ == Phase::granting);
    highest_ = std::max(highest_, refused.newest);
    disk_full_ = refused.disk_full;
    if (disk_full_) {
        const auto all_tried = context_.config.timing.token_timeout * context_.config.nodes.size();
        others_first_until_ = context_.now.steady + all_tried;
    }
    context_.act(SetCallWord{CallId{}});
    go(Phase::seeking);
    call_at_ = turn() + context_.config.timing.answer_patience;
}

void Membership::content_arrived(NodeId from, const Content& content) {
    gone_.erase(from);
    const bool newer = !view_ || content.epoch > view_->epoch;
    highest_ = std::max(highest_, content.epoch);
    if (in_epoch()) {
        if (!newer) return;
        seek();
    }
    if (content.coordinator == context_.config.self) return;
    if (phase_ == Phase::calling) go(Phase::seeking);
    if (phase_ != Phase::seeking) return;
    if (view_ && content.epoch == view_->epoch) {
        // It has left that epoch, which they have not heard: to them it is in, so asking to join would go on and on.
        tell_members(Suspect{view_->epoch, SuspectReason::join, context_.config.self});
    } else if (!excluded(content.coordinator)) {  // whom it does not answer need not take its ring apart to call
        // The ring stands still from the join until this node has read what was decided without it: so most of it now.
        join_at_ = content.coordinator;
        context_.act(CatchUp{context_.tip.round});
    }
    call_at_ = turn() + context_.config.timing.call_again;
}

// --- entering ------------------------------------------------------------------------------------

void Membership::view_arrived(NodeId from, const View& view) {
    if (view.coordinator != from || view.members.empty()) return;
    if (view_ && in_epoch() && view.epoch == view_->epoch) return;
    if (view.epoch < highest_ || (view_ && view.epoch <= view_->epoch)) return;
    const auto self = std::find_if(view.members.begin(), view.members.end(),
                                   [&](const Member& known) { return known.id == context_.config.self; });
    if (self == view.members.end()) return;
    if (self->incarnation != context_.incarnation) return;
    const bool offered = std::any_of(offers_.begin(), offers_.end(), [&](const Offer& offer) {
        return !offer.address.empty() && offer.address == self->link_address;
    });
    if (!offered) return;
    if (in_epoch()) listener_.epoch_left();
    enter(view);
    context_.act(CatchUp{context_.tip.round});
}

/// The very next epoch has the same lives of the same nodes, and perhaps others. Who comes back one epoch later was the
/// silent one itself.
bool Membership::nobody_is_gone(const View& before, const View& now) {
    if (now.epoch != before.epoch.next()) return false;
    return std::all_of(before.members.begin(), before.members.end(), [&](const Member& known) {
        return std::any_of(now.members.begin(), now.members.end(), [&](const Member& other) {
            return other.id == known.id && other.incarnation == known.incarnation;
        });
    });
}

void Membership::enter(const View& view) {
    if (inbound_) context_.act(CloseLink{*inbound_});
    if (outbound_) context_.act(CloseLink{*outbound_});
    outbound_.reset();
    if (std::exchange(ended_silent_, false) && nobody_is_gone(*view_, view)) {
        context_.patience.was_mistaken(context_.now.steady, context_.config.timing.token_timeout);
    }
    view_ = view;
    std::optional<LinkHello> early_hello;
    for (const auto& offer : std::exchange(offers_, {})) {
        if (offer.address == member(context_.config.self)->link_address) {
            inbound_ = offer.link;
            early_hello = offer.early_hello;
        } else {
            context_.act(CloseLink{offer.link});
        }
    }
    highest_ = view.epoch;
    disk_full_ = false;
    ready_.clear();
    joiners_.clear();
    callers_.clear();
    rest_until_.reset();
    inbound_stands_ = outbound_stands_ = view.members.size() == 1;
    caught_up_ = outbound_failed_ = false;
    go(Phase::entering);
    if (view.members.size() > 1) {
        outbound_ = LinkId{++last_link_};
        context_.act(ConnectLink{*outbound_, neighbour(true).link_address});
        send_link_hello();
    }
    repeat_at_ = context_.now.steady + context_.config.timing.link_hello_resend;
    if (early_hello) link_hello_arrived(*inbound_, *early_hello);
}

void Membership::caught_up() {
    if (const auto coordinator = std::exchange(join_at_, std::nullopt)) context_.tell(*coordinator, Join{highest_});
    if (phase_ != Phase::entering) return;
    caught_up_ = true;
    listener_.epoch_entered(*view_, outbound_);
    ready_if_standing();
}

void Membership::send_link_hello() {
    context_.act(SendLink{*outbound_, LinkHello{view_->epoch, context_.config.self, context_.incarnation}});
}

void Membership::send_views() {
    for (const auto& known : view_->members) {
        if (known.id != context_.config.self && !ready_.contains(known.id)) context_.tell(known.id, ViewTold{*view_});
    }
}

void Membership::link_hello_arrived(LinkId link, const LinkHello& hello) {
    if (auto* offer = offer_by_link(link)) offer->early_hello = hello;
    if (!is_inbound(link) || hello.epoch != view_->epoch) return;
    const auto& predecessor = neighbour(false);
    if (hello.from != predecessor.id || hello.incarnation != predecessor.incarnation) return;
    inbound_stands_ = true;
    if (outbound_failed_ && accuse_successor()) return;
    context_.act(SendLink{link, LinkWelcome{view_->epoch, context_.config.self, context_.incarnation}});
    ready_if_standing();
}

void Membership::link_welcome_arrived(LinkId link, const LinkWelcome& welcome) {
    if (!is_outbound(link) || welcome.epoch != view_->epoch) return;
    const auto& successor = neighbour(true);
    if (welcome.from != successor.id || welcome.incarnation != successor.incarnation) return;
    outbound_stands_ = true;
    ready_if_standing();
}

void Membership::ready_if_standing() {
    if (phase_ != Phase::entering || !caught_up_ || !inbound_stands_ || !outbound_stands_) return;
    if (coordinates()) {
        ready_.insert(context_.config.self);
        start_if_all_ready();
    } else {
        context_.tell(view_->coordinator, Ready{view_->epoch});
    }
}

void Membership::ready_arrived(NodeId from, const Ready& ready) {
    if (phase_ != Phase::entering || !coordinates() || ready.epoch != view_->epoch || !member(from)) return;
    ready_.insert(from);
    start_if_all_ready();
}

void Membership::start_if_all_ready() {
    if (ready_.size() != view_->members.size()) return;
    token_came();
    listener_.start_token();
}

void Membership::token_came() {
    if (phase_ != Phase::entering) return;
    go(Phase::operational);
    gone_.clear();
    excluded_.own_links_stand();
    for (const auto& known : view_->members) excluded_.was_in_ring(known.id);
}

/// The coordinator waits a little longer, to hear from the members whose link did not stand.
Duration Membership::start_patience() const {
    const auto timeout = context_.overdue_after();
    return coordinates() ? timeout * 5 / 4 : timeout;
}

/// A member whose link did not stand is left out of the next view and readmitted with doubling delay. Whose links both
/// do not stand accuses nobody: it is more likely the cause itself, and would take a good member out of the ring.
bool Membership::accuse_successor() {
    if (!inbound_stands_ || outbound_stands_) return false;
    const auto cause = excluded_.cause_of_dead_link(neighbour(true).id);
    suspect({SuspectReason::link_failed, cause});
    if (cause == context_.config.self) leave_out(cause);
    return true;
}

void Membership::leave_out(NodeId node) {
    excluded_.add(node, context_.now.steady, context_.config.timing.token_timeout);
}

void Membership::start_overdue() {
    if (!accuse_successor()) suspect({SuspectReason::start_overdue, context_.config.self});
}

// --- the end of an epoch -------------------------------------------------------------------------

void Membership::suspect(const Trouble& trouble) {
    if (!in_epoch()) return;
    const Suspect message{view_->epoch, trouble.reason, trouble.about};
    tell_members(message);
    note(message);
    seek();
}

void Membership::suspect_arrived(NodeId from, Incarnation incarnation, const Suspect& suspect) {
    if (!view_) return;
    if (suspect.epoch < view_->epoch && in_epoch()) {
        context_.tell(from, Content{view_->epoch, view_->coordinator});
        return;
    }
    const auto* known = member(from);
    if (suspect.epoch != view_->epoch || !known || known->incarnation != incarnation) return;
    note(suspect);
    if (!in_epoch()) return;
    // Who waited for the first token in vain does not know whose link is missing; this node may.
    const bool known_why =
        suspect.reason == SuspectReason::start_overdue && phase_ == Phase::entering && accuse_successor();
    if (!known_why) seek();
}

/// Keeps what a suspicion says about a node. Hints only: who is thought gone and answers is in.
void Membership::note(const Suspect& suspect) {
    if (suspect.reason == SuspectReason::bid_lost) context_.bid_was_lost();
    // A link that does not stand in time is a silence as well.
    ended_silent_ = ended_silent_ || suspect.reason == SuspectReason::token_overdue ||
                    suspect.reason == SuspectReason::start_overdue || suspect.reason == SuspectReason::link_failed;
    if (suspect.about == context_.config.self) return;
    switch (suspect.reason) {
        case SuspectReason::link_dropped:
        case SuspectReason::leave: gone_.insert(suspect.about); break;
        case SuspectReason::join: joiners_.insert(suspect.about); break;
        case SuspectReason::link_failed: leave_out(suspect.about); break;
        case SuspectReason::bid_lost:
        case SuspectReason::token_overdue:
        case SuspectReason::fenced:
        case SuspectReason::start_overdue: break;
    }
}

/// A link that ends before it stood is no news of a death: whoever answers calls, and cannot be linked, would be in
/// every next view. It accuses its other end, as soon as this node's own predecessor has shown that the cause is not here.
void Membership::link_dropped(LinkId link) {
    if (is_inbound(link)) {
        suspect({SuspectReason::link_dropped, neighbour(false).id});
    } else if (is_outbound(link) && outbound_stands_) {
        suspect({SuspectReason::link_dropped, neighbour(true).id});
    } else if (is_outbound(link) && !accuse_successor()) {
        outbound_failed_ = true;
        tell_members(Join{view_->epoch});  // or the others have left this epoch: then they say which one there is
    }
}

void Membership::join_arrived(NodeId from, Incarnation incarnation) {
    if (phase_ != Phase::operational || excluded(from)) return;
    const auto* known = member(from);
    const bool in_it = known && known->incarnation == incarnation;
    if (!coordinates() || in_it) {
        // A member that asks was asleep, or its question is an old one.
        context_.tell(from, Content{view_->epoch, view_->coordinator});
        return;
    }
    joiners_.insert(from);
    // Others may be about to ask as well: one change for all of them.
    if (!change_at_) change_at_ = std::max(context_.now.steady, since_ + context_.config.timing.token_timeout / 3);
    if (*change_at_ <= context_.now.steady) plan_change(from);
}

void Membership::plan_change(NodeId joiner) {
    const auto joiners = joiners_;
    suspect({SuspectReason::join, joiner});
    joiners_ = joiners;
    for (const auto node : joiners_) gone_.erase(node);
    call_at_ = context_.now.steady;
}

void Membership::became_content() {
    if (!in_epoch()) return;
    for (const auto caller : std::exchange(callers_, {})) {
        context_.tell(caller, Content{view_->epoch, view_->coordinator});
    }
}

/// What was due while this process did not run is not the others' fault: asks whether there is a newer epoch.
void Membership::was_asleep() {
    if (in_epoch()) {
        since_ = context_.now.steady;
        tell_members(Join{view_->epoch});
    } else if (phase_ == Phase::seeking || phase_ == Phase::calling) {
        go(Phase::seeking);
        rest_until_.reset();
        call_at_ = turn() + context_.config.timing.call_stagger;
    }
}

void Membership::leave() {
    if (in_epoch()) tell_members(Suspect{view_->epoch, SuspectReason::leave, context_.config.self});
    phase_ = Phase::stopped;
}

// --- time ----------------------------------------------------------------------------------------

void Membership::ticked() {
    const auto now = context_.now.steady;
    const auto& timing = context_.config.timing;
    switch (phase_) {
        case Phase::seeking:
            if (now < call_at_) break;
            if (const auto until = excluded_.keeps_away_until(now)) call_at_ = *until;
            else begin_call();
            break;
        case Phase::calling:
            if (rest_until_ && now >= *rest_until_) {
                grant_if_enough();
            } else if (!rest_until_ && now >= since_ + timing.call_again) {
                disk_full_ = false;  // it is not what is missing now
                // No majority: whoever was left out may be needed.
                excluded_.clear();
                gone_.clear();
                go(Phase::seeking);
                call_at_ = turn() + Duration{context_.random() % 20'000};
            }
            break;
        case Phase::entering: {
            if (now >= since_ + start_patience()) {
                start_overdue();
            } else if (now >= repeat_at_) {
                repeat_at_ = now + timing.link_hello_resend;
                if (outbound_ && !outbound_stands_) send_link_hello();
                if (coordinates()) send_views();
                else ready_if_standing();
            }
            break;
        }
        case Phase::operational:
            if (change_at_ && now >= *change_at_) {
                change_at_.reset();
                if (!joiners_.empty()) plan_change(*joiners_.begin());
            }
            break;
        case Phase::granting:
        case Phase::stopped: break;
    }
}

std::optional<Instant> Membership::next_wakeup() const {
    std::optional<Instant> soonest;
    const auto& timing = context_.config.timing;
    switch (phase_) {
        case Phase::seeking: sooner(soonest, call_at_); break;
        case Phase::calling: sooner(soonest, rest_until_ ? *rest_until_ : since_ + timing.call_again); break;
        case Phase::entering:
            sooner(soonest, repeat_at_);
            sooner(soonest, since_ + start_patience());
            break;
        case Phase::operational: sooner(soonest, change_at_); break;
        case Phase::granting:
        case Phase::stopped: break;
    }
    return soonest;
}

// --- the view ------------------------------------------------------------------------------------

const Member* Membership::member(NodeId node) const {
    if (!view_) return nullptr;
    for (const auto& known : view_->members) {
        if (known.id == node) return &known;
    }
    return nullptr;
}

const Member& Membership::neighbour(bool successor) const {
    const auto& members = view_->members;
    std::size_t index = 0;
    while (members[index].id != context_.config.self) ++index;
    return members[(index + (successor ? 1 : members.size() - 1)) % members.size()];
}

void Membership::tell_members(const Control& message) {
    for (const auto& known : view_->members) {
        if (known.id != context_.config.self) context_.tell(known.id, message);
    }
}

}  // namespace anel

// Who is in the ring: suspecting an epoch, calling, the grant, entering a view until its token can start.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "ring/core/context.hpp"
#include "ring/core/exclusions.hpp"
#include "ring/core/messages.hpp"
#include "ring/core/node.hpp"
#include "ring/core/passage.hpp"

namespace anel {

/// What follows for the rest of the node.
class MembershipListener {
public:
    virtual ~MembershipListener() = default;
    /// The epoch is over for this node: its token, if any, is void.
    virtual void epoch_left() = 0;
    /// A view is entered. @param outbound  the link to the successor; none in a ring of one.
    virtual void epoch_entered(const View& view, std::optional<LinkId> outbound) = 0;
    /// All members are ready: this node, the coordinator, makes the epoch's only token. Called once an epoch.
    virtual void start_token() = 0;
    [[nodiscard]] virtual bool is_content() const = 0;
    virtual void probe() = 0;
};

/// The view change (docs/DESIGN.md section 5). Nothing here is needed for safety but two things: the coordinator starts
/// one token an epoch, and a view names incarnations and addresses; the rest decides how soon there is a ring again.
class Membership {
public:
    Membership(Context& context, MembershipListener& listener);

    void call_arrived(NodeId from, Incarnation incarnation, const Call& call, CallId call_word);
    void answer_arrived(NodeId from, Incarnation incarnation, const Answer& answer);
    void content_arrived(NodeId from, const Content& content);
    void join_arrived(NodeId from, Incarnation incarnation);
    void view_arrived(NodeId from, const View& view);
    void ready_arrived(NodeId from, const Ready& ready);
    void suspect_arrived(NodeId from, Incarnation incarnation, const Suspect& suspect);

    void link_bound(LinkId link, const std::string& address);
    void link_hello_arrived(LinkId link, const LinkHello& hello);
    void link_welcome_arrived(LinkId link, const LinkWelcome& welcome);
    void link_dropped(LinkId link);

    void granted(const Grant& grant);
    void grant_refused(const GrantRefused& refused);
    void caught_up();

    /// The epoch cannot go on: tells all members, and seeks.
    void suspect(const Trouble& trouble);
    /// The first token of the epoch passed here.
    void token_came();
    /// A sign of life of the token for whoever called meanwhile.
    void became_content();
    void was_asleep();
    /// Tells the members that this node goes.
    void leave();
    void ticked();

    [[nodiscard]] Phase phase() const { return phase_; }
    [[nodiscard]] const std::optional<View>& view() const { return view_; }
    [[nodiscard]] bool is_member(NodeId node, Incarnation incarnation) const {
        const auto* known = in_epoch() ? member(node) : nullptr;
        return known && known->incarnation == incarnation;
    }
    [[nodiscard]] bool in_epoch() const { return phase_ == Phase::entering || phase_ == Phase::operational; }
    /// Everything before the epoch's base is applied here.
    [[nodiscard]] bool may_take_token() const { return in_epoch() && caught_up_; }
    [[nodiscard]] bool is_inbound(LinkId link) const { return in_epoch() && inbound_ == link; }
    [[nodiscard]] bool is_outbound(LinkId link) const { return in_epoch() && outbound_ == link; }
    [[nodiscard]] Instant since() const { return since_; }
    /// What keeps the nodes from an epoch is the lack of space.
    [[nodiscard]] bool disk_full() const { return disk_full_; }
    [[nodiscard]] std::optional<Instant> next_wakeup() const;

private:
    /// A fresh PAIR bound for one call, whose address this node tells the candidate.
    struct Offer {
        CallId call;
        NodeId candidate;
        LinkId link;
        std::string address;
        std::optional<LinkHello> early_hello;  ///< the predecessor knew the view before this node did
        Instant until;                         ///< so long the candidate is left alone
    };

    void go(Phase phase);
    void seek();
    void begin_call();
    void answer(const Offer& offer);
    void offer_link(NodeId candidate, CallId call);
    void grant_if_enough();
    void enter(const View& view);
    [[nodiscard]] static bool nobody_is_gone(const View& before, const View& now);
    void ready_if_standing();
    void start_if_all_ready();
    void plan_change(NodeId joiner);
    void note(const Suspect& suspect);
    [[nodiscard]] bool accuse_successor();
    void leave_out(NodeId node);
    void start_overdue();
    void tell_members(const Control& message);
    void send_link_hello();
    void send_views();
    [[nodiscard]] Offer* offer_by_call(CallId call);
    [[nodiscard]] Offer* offer_by_link(LinkId link);
    [[nodiscard]] bool trusts_another(NodeId candidate) const;
    [[nodiscard]] bool excluded(NodeId node) const;
    [[nodiscard]] Instant turn() const;
    [[nodiscard]] Duration start_patience() const;
    [[nodiscard]] std::set<NodeId> expected() const;
    [[nodiscard]] const Member* member(NodeId node) const;
    [[nodiscard]] const Member& neighbour(bool successor) const;
    [[nodiscard]] bool coordinates() const { return view_ && view_->coordinator == context_.config.self; }

    Context& context_;
    MembershipListener& listener_;
    Phase phase_ = Phase::seeking;
    Instant since_;           ///< this phase
    Epoch highest_;           ///< the highest epoch heard of
    bool disk_full_ = false;  ///< the last grant found no space, as this node saw it or a candidate said
    std::uint64_t last_link_ = 0;

    // seeking and calling
    Instant call_at_;
    Instant others_first_until_;  ///< this node found no space for an epoch
    CallId call_;
    std::deque<Offer> offers_;  ///< the newest at the end; older ones stay: their candidate may have got the grant
    std::map<NodeId, Member> answers_;
    std::optional<Instant> rest_until_;  ///< a majority answered; the rest may until then
    std::set<NodeId> gone_;              ///< hints: whose link dropped, who left
    std::set<NodeId> joiners_;
    std::optional<NodeId> join_at_;  ///< the coordinator to ask, once what was decided meanwhile is read
    Exclusions excluded_;

    // in a view
    std::optional<View> view_;   ///< the present one, or the last
    bool ended_silent_ = false;  ///< it ended for a silence; until the next is entered
    std::optional<LinkId> inbound_;
    std::optional<LinkId> outbound_;
    bool inbound_stands_ = false;
    bool outbound_stands_ = false;
    bool outbound_failed_ = false;  ///< it ended before it stood
    bool caught_up_ = false;
    std::set<NodeId> ready_;
    Instant repeat_at_;                 ///< of link hello, ready, view
    std::optional<Instant> change_at_;  ///< a planned change for joiners_
    std::set<NodeId> callers_;          ///< who called while it was unclear whether the token lives
};

}  // namespace anel

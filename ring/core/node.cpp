#include "ring/core/node.hpp"

#include "common/assert.hpp"
#include "ring/core/clients.hpp"
#include "ring/core/context.hpp"
#include "ring/core/membership.hpp"
#include "ring/core/passage.hpp"

namespace anel {

std::string_view name_of(Phase phase) {
    switch (phase) {
        case Phase::seeking: return "seeking";
        case Phase::calling: return "calling";
        case Phase::granting: return "granting";
        case Phase::entering: return "entering";
        case Phase::operational: return "operational";
        case Phase::stopped: return "stopped";
    }
    return "unknown";
}

/// Wires the rooms of the core: membership says which epoch, passage moves its token, clients fill it.
class Node::Body final : public MembershipListener {
public:
    Body(NodeConfig config, Incarnation incarnation, LedgerId ledger, const History& loaded, std::mt19937_64 random,
         Moment now)
        : context_{.config = std::move(config),
                   .incarnation = incarnation,
                   .ledger = ledger,
                   .random = random,
                   .now = now,
                   .actions = {},
                   .sessions = {},
                   .tip = {},
                   .durable = {}},
          clients_{context_},
          passage_{context_, clients_},
          membership_{(follow(loaded), context_), *this},
          down_since_{now.steady} {}
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;
    ~Body() override = default;

    Actions step(const Input& input, Moment now) {
        if (membership_.phase() == Phase::stopped) return {};
        context_.now.steady = std::max(context_.now.steady, now.steady);
        context_.now.wall_us = now.wall_us;
        if (due_ && context_.now.steady > *due_ + context_.config.timing.asleep) {
            passage_.forgive();
            membership_.was_asleep();
        }
        std::visit([&](const auto& kind) { take(kind); }, input);
        settle();
        due_ = next_wakeup();
        if (due_) due_ = std::max(*due_, context_.now.steady);  // what is overdue is due now: one sleep is noticed once
        return std::exchange(context_.actions, {});
    }

    [[nodiscard]] std::optional<Instant> next_wakeup() const {
        if (membership_.phase() == Phase::stopped) return std::nullopt;
        auto soonest = membership_.next_wakeup();
        if (operational()) {
            sooner(soonest, passage_.next_wakeup());
            sooner(soonest, clients_.next_wakeup());
        } else if (!clients_.refusing()) {
            sooner(soonest, down_since_ + context_.config.timing.no_quorum_after);
        }
        sooner(soonest, leave_until_);
        return soonest;
    }

    [[nodiscard]] NodeStatus status() const {
        const bool in_view = membership_.in_epoch();
        return {.phase = membership_.phase(),
                .leaving = leave_until_.has_value(),
                .taking_pushes = operational() && !clients_.refusing(),
                .view = in_view ? membership_.view() : std::nullopt,
                .tip = context_.tip,
                .durable = context_.durable,
                .holder = passage_.holds(),
                .parked = passage_.parked(),
                .overdue_after = context_.overdue_after(),
                .pending_messages = clients_.pending_messages(),
                .pending_bytes = clients_.pending_bytes(),
                .sessions = context_.sessions.size(),
                .clients = clients_.known()};
    }

    [[nodiscard]] Snapshot snapshot() const {
        const auto& entries = context_.sessions.by_idleness();
        return {context_.tip.round, context_.tip.sequence, context_.tip.wall_us, {entries.begin(), entries.end()}};
    }

    // MembershipListener
    void epoch_left() override {
        passage_.end();
        clients_.epoch_left();
        if (operational()) down_since_ = context_.now.steady;
    }
    void epoch_entered(const View& view, std::optional<LinkId> outbound) override {
        context_.tip.epoch = view.epoch;
        passage_.begin(view, outbound);
        clients_.bid_again();
    }
    void start_token() override { passage_.start(); }
    [[nodiscard]] bool is_content() const override { return passage_.is_content(); }
    void probe() override { passage_.probe(); }

private:
    [[nodiscard]] bool operational() const { return membership_.phase() == Phase::operational; }

    void take(const Ticked&) {
        membership_.ticked();
        if (operational()) passage_.ticked();
    }
    void take(const ControlArrived& arrived) {
        if (arrived.from == context_.config.self || !context_.config.nodes.contains(arrived.from)) return;
        std::visit(
            Overloaded{
                [&](const Call& call) {
                    membership_.call_arrived(arrived.from, arrived.incarnation, call, arrived.call_word);
                },
                [&](const Answer& answer) { membership_.answer_arrived(arrived.from, arrived.incarnation, answer); },
                [&](const Content& content) { membership_.content_arrived(arrived.from, content); },
                [&](const Join&) { membership_.join_arrived(arrived.from, arrived.incarnation); },
                [&](const ViewTold& told) { membership_.view_arrived(arrived.from, told.view); },
                [&](const Ready& ready) { membership_.ready_arrived(arrived.from, ready); },
                [&](const Suspect& suspect) {
                    membership_.suspect_arrived(arrived.from, arrived.incarnation, suspect);
                },
                [&](const Wake& wake) {
                    const bool of_member = membership_.is_member(arrived.from, arrived.incarnation);
                    if (operational() && of_member && wake.epoch == membership_.view()->epoch) {
                        passage_.wake_arrived(arrived.from, wake);
                    }
                },
                [&](const WakeAck& ack) {
                    if (!operational() || ack.epoch != membership_.view()->epoch) return;
                    passage_.wake_acked();
                    membership_.became_content();
                },
                // Of members alone: they share the ledger with this node. The durable word tells who missed a notice.
                [&](const DurableNotice& notice) {
                    if (membership_.is_member(arrived.from, arrived.incarnation)) raise_durable(notice.round);
                },
            },
            arrived.message);
    }
    void take(const LinkBound& bound) { membership_.link_bound(bound.link, bound.address); }
    void take(const LinkDropped& dropped) { membership_.link_dropped(dropped.link); }
    void take(const LinkArrived& arrived) {
        std::visit(Overloaded{
                       [&](const LinkHello& hello) { membership_.link_hello_arrived(arrived.link, hello); },
                       [&](const LinkWelcome& welcome) { membership_.link_welcome_arrived(arrived.link, welcome); },
                       [&](const HopAck& ack) {
                           if (membership_.is_outbound(arrived.link)) passage_.hop_acked(ack);
                       },
                       [&](const Token& token) { take_token(arrived.link, token); },
                   },
                   arrived.message);
    }
    /// Stale epochs, other links and hops already seen are refused, so a resent token is harmless. A hop is acked when
    /// it is resent or when the token rests here: one that goes on at once comes round, which says more than an ack.
    void take_token(LinkId link, const Token& token) {
        if (!membership_.is_inbound(link) || !membership_.may_take_token()) return;
        if (token.epoch != membership_.view()->epoch) return;
        const HopAck ack{token.epoch, token.hop};
        if (passage_.has_seen(token.hop)) {
            context_.act(SendLink{link, ack});
            return;
        }
        membership_.token_came();
        membership_.became_content();
        passage_.token_arrived(token);
        if (passage_.rests()) context_.act(SendLink{link, ack});
    }
    void take(const ClientArrived& arrived) { clients_.arrived(arrived.connection, arrived.frame); }
    void take(const LeaveAsked&) {
        if (leave_until_) return;
        leave_until_ = context_.now.steady + context_.config.timing.leave_patience;
        clients_.refuse_new(RejectCode::shutting_down, "this node leaves the ring; try another one");
    }
    void take(const BecameDurable& durable) {
        raise_durable(durable.round);
        passage_.became_durable(durable.round);
    }
    void take(const Granted& granted) {
        follow(granted.history);
        membership_.granted(granted.grant);
    }
    void take(const GrantRefused& refused) { membership_.grant_refused(refused); }
    void take(const CaughtUp& caught_up) {
        follow(caught_up.history);
        membership_.caught_up();
    }
    void take(const RoundDecided&) { passage_.round_decided(); }
    void take(const RoundRefused& refused) { passage_.round_refused(refused.why); }
    void take(const OutputFull& full) { passage_.output_full(full.record); }
    void take(const OutputWritten&) { passage_.output_written(); }
    void take(const Rotated& rotated) { passage_.rotated(rotated.segment); }
    void take(const RotationFenced&) { passage_.rotation_fenced(); }
    void take(const WordsRead& read) {
        if (!operational()) return;
        if (read.segment != passage_.segment()) {
            clients_.words_read(false);  // says nothing here; asked again later
            return;
        }
        raise_durable(read.words.durable);
        // Sealed: the epoch is over, or goes on in another segment. The holder knows.
        if (read.words.sealed) passage_.found_sealed();
        clients_.words_read(!read.words.sealed && read.words.decided == context_.tip.round);
        sync_for_the_writer(read);
        // Where all windows are full nobody has work that would miss the token. If the writer froze, so did the token.
        if (clients_.misses_sync()) passage_.probe();
    }

    /// What this node applied was decided in this segment or before it, with its record written and its text in
    /// output.txt, so a sync of the segment may vouch for it whoever wrote it. A sealed one is left to who seals it.
    void sync_for_the_writer(const WordsRead& read) {
        if (read.words.sealed || read.segment != context_.tip.segment || !clients_.wants_sync()) return;
        context_.act(MakeDurable{read.segment, context_.tip.round});
    }

    void raise_durable(Round round) {
        if (round <= context_.durable) return;
        context_.durable = round;
        clients_.durable_raised();
    }

    /// Applies what the ledger says was decided.
    void follow(const History& history) {
        if (history.snapshot && history.snapshot->round > context_.tip.round) {
            context_.sessions.reset(*history.snapshot);
            context_.tip.round = history.snapshot->round;
            context_.tip.sequence = history.snapshot->sequence;
            context_.tip.wall_us = history.snapshot->wall_us;
            clients_.table_replaced();
        }
        for (const auto& result : history.rounds) {
            if (result.round <= context_.tip.round) continue;
            context_.apply(result);
            clients_.applied(result);
        }
        context_.tip.segment = history.tip.segment;
        context_.tip.epoch = std::max(context_.tip.epoch, history.tip.epoch);
    }

    /// What follows from an input for the node as a whole.
    void settle() {
        if (operational()) {
            passage_.work_came();
            if (const auto trouble = passage_.take_trouble()) membership_.suspect(*trouble);
        }
        if (!awaits_outcome()) {
            serve_clients_by_quorum();
            if (leave_until_) leave_if_done();
            if (operational() && clients_.wants_words()) context_.act(ReadWords{passage_.segment()});
        }
        // The outcome of an action is the next input; nothing may stand behind it in this step.
        const auto outcome = std::find_if(context_.actions.begin(), context_.actions.end(), has_outcome);
        ANEL_ASSERT(outcome == context_.actions.end() || std::next(outcome) == context_.actions.end());
        clients_.check_invariants();
        passage_.check_invariants();
    }

    void serve_clients_by_quorum() {
        if (leave_until_) return;
        if (operational()) {
            if (clients_.refusing()) clients_.accept_all();
            return;
        }
        if (context_.now.steady < down_since_ + context_.config.timing.no_quorum_after) return;
        const auto code = membership_.disk_full() ? RejectCode::disk_full : RejectCode::no_quorum;
        if (clients_.refusing_with() == code) return;
        clients_.refuse_all(code, membership_.disk_full() ? "no space is left for the ledger, so no ring can form"
                                                          : "this node is in no ring with a majority; try another one");
    }

    void leave_if_done() {
        const bool done = clients_.idle() && passage_.may_leave();
        if (!done && context_.now.steady < *leave_until_) return;
        clients_.refuse_all(RejectCode::shutting_down, "this node leaves the ring; try another one");
        membership_.leave();
        context_.act(Stop{});
    }

    [[nodiscard]] static bool has_outcome(const Action& action) {
        return std::holds_alternative<DecideRound>(action) || std::holds_alternative<WriteOutput>(action) ||
               std::holds_alternative<AskGrant>(action) || std::holds_alternative<CatchUp>(action) ||
               std::holds_alternative<RotateSegment>(action) || std::holds_alternative<BindLink>(action) ||
               std::holds_alternative<ReadWords>(action);
    }
    [[nodiscard]] bool awaits_outcome() const {
        return std::any_of(context_.actions.begin(), context_.actions.end(), has_outcome);
    }

    Context context_;
    Clients clients_;
    Passage passage_;
    Membership membership_;
    Instant down_since_;
    std::optional<Instant> leave_until_;
    std::optional<Instant> due_;  ///< when the last step said that the next one is due
};

Node::Node(NodeConfig config, Incarnation incarnation, LedgerId ledger, const History& loaded, std::mt19937_64 random,
           Moment now)
    : body_{std::make_unique<Body>(std::move(config), incarnation, ledger, loaded, random, now)} {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

Actions Node::step(const Input& input, Moment now) { return body_->step(input, now); }
std::optional<Instant> Node::next_wakeup() const { return body_->next_wakeup(); }
NodeStatus Node::status() const { return body_->status(); }
Snapshot Node::snapshot() const { return body_->snapshot(); }

}  // namespace anel

#include "ring/daemon/observer.hpp"

#include <spdlog/spdlog.h>

namespace anel {
namespace {

constexpr std::size_t views_kept = 12;

}  // namespace

std::string_view name_of(SuspectReason reason) {
    switch (reason) {
        case SuspectReason::link_dropped: return "its link dropped";
        case SuspectReason::token_overdue: return "the token is overdue";
        case SuspectReason::join: return "it joins";
        case SuspectReason::leave: return "it leaves";
        case SuspectReason::fenced: return "a decide was fenced";
        case SuspectReason::link_failed: return "its link does not stand";
        case SuspectReason::bid_lost: return "its bid cannot be read from the volume";
        case SuspectReason::start_overdue: return "the first token is overdue";
    }
    return "?";
}

std::string names_of(const std::vector<Member>& members) {
    std::string names;
    for (const auto& member : members) names += fmt::format("{}{}", names.empty() ? "" : " ", member.id.value);
    return names;
}

void Observer::saw(const Input& input, Moment now) {
    std::visit(Overloaded{
                   [&](const ControlArrived& arrived) {
                       if (const auto* suspect = std::get_if<Suspect>(&arrived.message)) {
                           reason_ = fmt::format("node {} says of node {}: {}", arrived.from.value,
                                                 suspect->about.value, name_of(suspect->reason));
                       }
                       spdlog::debug("control message {} of node {}", arrived.message.index(), arrived.from.value);
                   },
                   [&](const LinkArrived& arrived) {
                       if (const auto* token = std::get_if<Token>(&arrived.message)) token_came(*token, now.steady);
                   },
                   [&](const LinkDropped& dropped) {
                       reason_ = "a link dropped";
                       spdlog::debug("link {} dropped", dropped.link.value);
                   },
                   [&](const ClientArrived& arrived) {
                       ++counters_.client_frames;
                       ack_timer_.arrived(arrived, now.steady, histograms_.batch_messages);
                   },
                   [&](const LeaveAsked&) { spdlog::info("told to stop: finishing what was taken"); },
                   [&](const Granted& granted) {
                       ++counters_.grants;
                       spdlog::debug("granted epoch {}", granted.grant.epoch.value);
                   },
                   [&](const GrantRefused& refused) {
                       ++counters_.grants_refused;
                       spdlog::debug("grant refused, the ledger has epoch {}", refused.newest.value);
                   },
                   [&](const RoundRefused& refused) {
                       const bool fenced = refused.why == DecideRefusal::fenced;
                       ++(fenced ? counters_.rounds_fenced : counters_.rounds_disk_full);
                       if (fenced) reason_ = "a decide was fenced";
                       if (!fenced) spdlog::warn("a round was refused: the disk is full");
                   },
                   [&](const RotationFenced&) { reason_ = "a rotation was fenced"; },
                   [](const auto&) {},
               },
               input);
}

void Observer::saw(const Action& action, Moment now) {
    std::visit(Overloaded{
                   [&](const SendControl& send) {
                       if (const auto* suspect = std::get_if<Suspect>(&send.message)) {
                           reason_ = fmt::format("node {} says of node {}: {}", self_.value, suspect->about.value,
                                                 name_of(suspect->reason));
                       }
                   },
                   [&](const SendLink& send) {
                       if (const auto* token = std::get_if<Token>(&send.message)) token_goes(*token, now.steady);
                   },
                   [&](const ReplyClient& reply) {
                       ack_timer_.replied(reply, now.steady, histograms_.ack_us);
                       if (std::holds_alternative<Ack>(reply.reply)) ++counters_.acks;
                       if (std::holds_alternative<Reject>(reply.reply)) ++counters_.rejects;
                       if (std::holds_alternative<Busy>(reply.reply)) ++counters_.busys;
                   },
                   [&](const DecideRound& decide) {
                       ++counters_.rounds_decided;
                       counters_.messages_decided += decide.record.count;
                       histograms_.round_messages.observe(decide.record.count);
                       counters_.output_bytes += decide.record.text.size();
                   },
                   [&](const WriteCheckpoint&) { ++counters_.checkpoints; },
                   [](const auto&) {},
               },
               action);
}

void Observer::token_came(const Token& token, Instant now) {
    ++counters_.tokens_received;
    if (lap_began_ && token.epoch == token_.epoch && token.hop > token_.hop) {
        histograms_.lap_us.observe(static_cast<std::uint64_t>((now - *lap_began_).count()));
    }
    lap_began_.reset();
    look_at(token);
}

void Observer::token_goes(const Token& token, Instant now) {
    const bool is_resent = token.epoch == token_.epoch && token.hop == token_.hop;
    if (is_resent) return;
    // A round that was opened here comes back to be closed, and one with a bid is closed and its result told to all. Any
    // other token may be parked on its way.
    if (token.open && (token.open->opener == self_ || !token.open->bids.empty())) lap_began_ = now;
    look_at(token);
}

void Observer::look_at(const Token& token) {
    token_.epoch = token.epoch;
    token_.hop = token.hop;
    token_.open = token.open.has_value();
    token_.bids.clear();
    if (!token.open) return;
    token_.opener = token.open->opener;
    token_.votes = token.open->votes;
    for (const auto& bid : token.open->bids) token_.bids.push_back({bid.node, bid.entries.size()});
}

void Observer::saw(const GuardCounters& guard, Instant now) {
    constexpr std::chrono::seconds often_enough{5};
    if ((guard.refused == guard_.refused && guard.cut == guard_.cut) || now - guard_said_ < often_enough) return;
    if (guard.refused > guard_.refused) {
        spdlog::warn("too many clients: {} are connected, {} were turned away", guard.connections,
                     guard.refused - guard_.refused);
    }
    if (guard.cut > guard_.cut) {
        spdlog::warn("too much memory: {} clients were cut that sent more than can be taken, or do not read",
                     guard.cut - guard_.cut);
    }
    guard_ = guard;
    guard_said_ = now;
}

bool Observer::may_change_view(const Input& input) const {
    return std::visit(
        Overloaded{
            [](const ControlArrived& arrived) { return !std::holds_alternative<DurableNotice>(arrived.message); },
            [&](const LinkArrived& arrived) {
                const auto* token = std::get_if<Token>(&arrived.message);
                return token == nullptr ? !std::holds_alternative<HopAck>(arrived.message)
                                        : phase_ != Phase::operational || epoch_ != token->epoch;
            },
            [](const ClientArrived&) { return false; },
            [](const BecameDurable&) { return false; },
            [](const OutputFull&) { return false; },
            [](const OutputWritten&) { return false; },
            [](const RoundDecided&) { return false; },
            [](const auto&) { return true; },
        },
        input);
}

void Observer::after(const NodeStatus& status, Moment now) {
    const auto epoch = status.view ? std::optional{status.view->epoch} : std::nullopt;
    if (status.view && epoch != epoch_) {
        ++counters_.views;
        auto& seen = views_.emplace_back();
        seen = {status.view->epoch, status.view->coordinator, {}, reason_, now.wall_us};
        for (const auto& member : status.view->members) seen.members.push_back(member.id);
        if (views_.size() > views_kept) views_.pop_front();
        spdlog::info("epoch {}: nodes {}, coordinator {}; why: {}", status.view->epoch.value,
                     names_of(status.view->members), status.view->coordinator.value, reason_);
    }
    if (phase_ == Phase::operational && status.phase != phase_ && epoch == epoch_) {
        spdlog::info("epoch {} ends: {}", epoch_ ? epoch_->value : 0, reason_);
    } else if (status.phase != phase_) {
        spdlog::debug("{}", name_of(status.phase));
    }
    epoch_ = epoch;
    phase_ = status.phase;
}

}  // namespace anel

#include "ring/daemon/observer.hpp"

#include <spdlog/spdlog.h>

namespace anel {

std::string_view name_of(SuspectReason reason) {
    switch (reason) {
        case SuspectReason::link_dropped: return "its link dropped";
        case SuspectReason::token_overdue: return "the token is overdue";
        case SuspectReason::join: return "it joins";
        case SuspectReason::leave: return "it leaves";
        case SuspectReason::fenced: return "a decide was fenced";
        case SuspectReason::link_failed: return "its link does not stand";
        case SuspectReason::start_overdue: return "the first token is overdue";
    }
    return "?";
}

std::string names_of(const std::vector<Member>& members) {
    std::string names;
    for (const auto& member : members) names += fmt::format("{}{}", names.empty() ? "" : " ", member.id.value);
    return names;
}

void Observer::saw(const Input& input) {
    std::visit(Overloaded{
                   [&](const ControlArrived& arrived) {
                       if (const auto* suspect = std::get_if<Suspect>(&arrived.message)) {
                           reason_ = fmt::format("node {} says of node {}: {}", arrived.from.value,
                                                 suspect->about.value, name_of(suspect->reason));
                       }
                       spdlog::debug("control message {} of node {}", arrived.message.index(), arrived.from.value);
                   },
                   [&](const LinkArrived& arrived) {
                       if (std::holds_alternative<Token>(arrived.message)) ++counters_.tokens_received;
                   },
                   [&](const LinkDropped& dropped) {
                       reason_ = "a link dropped";
                       spdlog::debug("link {} dropped", dropped.link.value);
                   },
                   [&](const ClientArrived&) { ++counters_.client_frames; },
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

void Observer::saw(const Action& action) {
    std::visit(Overloaded{
                   [&](const SendControl& send) {
                       if (const auto* suspect = std::get_if<Suspect>(&send.message)) {
                           reason_ =
                               fmt::format("we say of node {}: {}", suspect->about.value, name_of(suspect->reason));
                       }
                   },
                   [&](const ReplyClient& reply) {
                       if (std::holds_alternative<Ack>(reply.reply)) ++counters_.acks;
                       if (std::holds_alternative<Reject>(reply.reply)) ++counters_.rejects;
                       if (std::holds_alternative<Busy>(reply.reply)) ++counters_.busys;
                   },
                   [&](const DecideRound& decide) {
                       ++counters_.rounds_decided;
                       counters_.messages_decided += decide.record.count;
                       counters_.output_bytes += decide.record.text.size();
                   },
                   [&](const WriteCheckpoint&) { ++counters_.checkpoints; },
                   [](const auto&) {},
               },
               action);
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
            [](const OutputWritten&) { return false; },
            [](const RoundDecided&) { return false; },
            [](const auto&) { return true; },
        },
        input);
}

void Observer::after(const NodeStatus& status) {
    const auto epoch = status.view ? std::optional{status.view->epoch} : std::nullopt;
    if (status.view && epoch != epoch_) {
        ++counters_.views;
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

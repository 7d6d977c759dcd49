#include "tests/simulation/judge.hpp"

#include <fmt/format.h>

namespace anel::simulation {

// --- clients -------------------------------------------------------------------------------------

void Judge::pushed(const std::string& payload, const PushedMessage& message, NodeId to) {
    pushed_.try_emplace(payload, message).first->second.nodes.insert(to);
}

const PushedMessage& Judge::known(const std::string& payload) const {
    const auto at = pushed_.find(payload);
    if (at == pushed_.end()) throw Violation{fmt::format("S5: forged: nobody pushed '{}'", payload)};
    return at->second;
}

void Judge::acked(const std::string& payload) {
    const auto at = written_.find(payload);
    if (at == written_.end()) throw Violation{fmt::format("S2: '{}' is acked and not in the ledger", payload)};
    if (at->second.round > volume_.durable()) {
        throw Violation{fmt::format("S6: '{}' is acked, its round {} is not durable", payload, at->second.round.value)};
    }
    world_.count("acked messages");
    acked_.insert(payload);
}

void Judge::acked_as(const std::string& payload, const Ack& ack) const {
    const auto at = written_.find(payload);
    if (at == written_.end()) throw Violation{fmt::format("S2: '{}' is acked and not in the ledger", payload)};
    if (at->second.sequence == ack.sequence && at->second.round == ack.round) return;
    throw Violation{fmt::format("an ack of '{}' says sequence {} round {}, the ledger {} and {}", payload,
                                ack.sequence.value, ack.round.value, at->second.sequence.value,
                                at->second.round.value)};
}

void Judge::text_acked(const std::string& payload, Sequence sequence) {
    acked(payload);
    if (written_.at(payload).sequence == sequence) return;
    throw Violation{fmt::format("an OK of '{}' says sequence {}, the ledger {}", payload, sequence.value,
                                written_.at(payload).sequence.value)};
}

void Judge::byed(const std::string& client_id, Instance instance) const {
    // An old hello of the same instance may have made the session once more since; so not: there is none.
    const auto at = retired_.find({client_id, instance});
    if (at != retired_.end() && at->second <= volume_.durable()) return;
    throw Violation{fmt::format("S6: client {} was told bye, its session's end is not durable", client_id)};
}

// --- nodes ---------------------------------------------------------------------------------------

const PrintedMessage* Judge::at(Sequence sequence, Round& round) const {
    const auto after = std::upper_bound(rounds_.begin(), rounds_.end(), sequence,
                                        [](Sequence wanted, const auto& each) { return wanted < each.record.first; });
    if (after == rounds_.begin()) return nullptr;
    // Rounds without messages name the first sequence of the next one; step over them.
    auto found = std::prev(after);
    while (found->record.count == 0 && found != rounds_.begin()) --found;
    const auto index = sequence.value - found->record.first.value;
    if (index >= found->messages.size()) return nullptr;
    round = found->record.round;
    return &found->messages[index];
}

void Judge::replied(NodeId node, const ClientReply& reply) const {
    const auto check = [&](std::string_view client, Sequence sequence, const Round* said) {
        Round round;
        const auto* message = at(sequence, round);
        if (!message) {
            throw Violation{fmt::format("S2: node {} acks {} to '{}', which is not in the ledger", node.value,
                                        sequence.value, client)};
        }
        if (said && *said != round) {
            throw Violation{fmt::format("node {} acks sequence {} as of round {}, it is of {}", node.value,
                                        sequence.value, said->value, round.value)};
        }
        if (round > volume_.durable()) {
            throw Violation{fmt::format("S6: node {} acks round {}, durable are {}", node.value, round.value,
                                        volume_.durable().value)};
        }
        vouched_ = std::max(vouched_, round);
        return message;
    };
    if (const auto* ack = std::get_if<Ack>(&reply)) {
        const auto* message = check(ack->client_id, ack->sequence, &ack->round);
        const auto& pushed = known(message->payload);
        if (pushed.client_id != ack->client_id || pushed.sequence != ack->last) {
            throw Violation{fmt::format("node {} acks {} of {} as ledger sequence {}, which is {} of {}", node.value,
                                        ack->last.value, ack->client_id, ack->sequence.value, pushed.sequence.value,
                                        pushed.client_id)};
        }
        world_.count("acks");
    } else if (const auto* ok = std::get_if<TextOk>(&reply)) {
        check("", ok->sequence, nullptr);
        world_.count("text acks");
    } else if (const auto* reject = std::get_if<Reject>(&reply)) {
        world_.count(fmt::format("reject {}", name_of(reject->code)));
    } else if (std::holds_alternative<Busy>(reply)) {
        world_.count("busy");
    }
}

void Judge::token_sent(Process process, const Token& token) {
    const auto [at, fresh] = hops_.try_emplace({token.epoch, token.hop}, process);
    if (!fresh && at->second != process) {
        throw Violation{fmt::format("S1: two tokens: hop {} of epoch {} was sent by node {} and by node {}",
                                    token.hop.value, token.epoch.value, at->second.value, process.value)};
    }
}

void Judge::vouched(NodeId node, Round round) const {
    if (round > volume_.durable()) {
        throw Violation{fmt::format("S6: node {} says round {} is durable, durable are {}", node.value, round.value,
                                    volume_.durable().value)};
    }
    vouched_ = std::max(vouched_, round);
}

void Judge::granted(NodeId node, const Grant& grant) {
    // A frozen candidate may hear of its grant when newer ones were made; but each epoch is granted once.
    if (!granted_.insert(grant.epoch).second) {
        throw Violation{
            fmt::format("S1: node {} was granted epoch {}, which another one has", node.value, grant.epoch.value)};
    }
}

void Judge::snapshot_taken(NodeId node, const Snapshot& snapshot) const {
    if (snapshot.round.value < forgotten_) return;
    auto sessions = forgotten_sessions_;
    auto sequence = forgotten_sequence_;
    for (const auto& round : rounds_) {
        if (round.record.round > snapshot.round) break;
        apply(round.record, sessions);
        sequence.value = round.record.first.value + round.record.count - 1;
    }
    const Sessions taken{snapshot.sessions.begin(), snapshot.sessions.end()};
    if (snapshot.round.value > newest_round() || taken != sessions || sequence != snapshot.sequence) {
        throw Violation{fmt::format("node {}'s snapshot of round {} is not what was decided ({} sessions, {})",
                                    node.value, snapshot.round.value, taken.size(), sessions.size())};
    }
}

// --- the volume ----------------------------------------------------------------------------------

void Judge::record_written(Process process, const SimSegment& segment, const SimRecord& record) {
    const auto* there = segment.at(segment.slot_of(record.record.round));
    if (there && there->writer != process && there->record != record.record) {
        throw Violation{fmt::format("S1: nodes {} and {} both hold the token of epoch {}: round {}",
                                    there->writer.value, process.value, segment.epoch.value,
                                    record.record.round.value)};
    }
}

void Judge::decided(Process process, const SimSegment& segment, const SimRecord& record) {
    if (segment.number != volume_.newest()->number) {
        throw Violation{fmt::format("S1: node {} decides in segment {}, the newest is {}", process.value,
                                    segment.number.value, volume_.newest()->number.value)};
    }
    world_.count("rounds");
    add(segment, record);
}

void Judge::checkpointed(const Snapshot& snapshot) { vouched_ = std::max(vouched_, snapshot.round); }

void Judge::power_was_cut() {
    const auto tip = volume_.tip().round;
    if (tip < vouched_) {
        throw Violation{fmt::format("S2: a power cut left {} rounds, {} were durable", tip.value, vouched_.value)};
    }
    if (rounds_.size() > tip.value) rounds_.resize(tip.value);
    std::erase_if(retired_, [&](const auto& each) { return each.second > tip; });
    written_.clear();
    sessions_.clear();
    for (const auto& round : rounds_) {
        apply(round.record, sessions_);
        for (std::size_t index = 0; index < round.messages.size(); ++index) {
            written_[round.messages[index].payload] = {round.record.round, Sequence{round.record.first.value + index}};
        }
    }
    // A record that was written and not yet decided counts now, if it survived: nobody decided otherwise.
    for (const auto& [number, segment] : volume_.segments()) {
        for (std::uint64_t slot = 1; slot <= volume_.count(*segment); ++slot) {
            if (segment->at(slot)->record.round.value > rounds_.size()) add(*segment, *segment->at(slot));
        }
    }
    hops_.clear();
    granted_.clear();
    for (const auto& [number, segment] : volume_.segments()) granted_.insert(segment->epoch);
    check_acked_written();
}

void Judge::check_acked_written() const {
    for (const auto& payload : acked_) {
        if (!written_.contains(payload)) throw Violation{fmt::format("S2: the acked '{}' is lost", payload)};
    }
}

void Judge::forget_below(Round round) {
    auto last = rounds_.begin();
    for (; last != rounds_.end() && std::next(last) != rounds_.end() && last->record.round < round; ++last) {
        apply(last->record, forgotten_sessions_);
        for (const auto& message : last->messages) {
            written_.erase(message.payload);
            pushed_.erase(message.payload);
            acked_.erase(message.payload);
        }
        ++forgotten_;
        forgotten_sequence_ = {last->record.first.value + last->record.count - 1};
        forgotten_bytes_ = last->offset + last->record.text.size();
    }
    rounds_.erase(rounds_.begin(), last);
    std::erase_if(retired_, [&](const auto& each) { return each.second < round; });
    std::erase_if(
        hops_, [&](const auto& each) { return each.first.second.value + 10'000 < hops_.rbegin()->first.second.value; });
}

void Judge::check_end() const {
    check_acked_written();
    const auto& bytes = volume_.output.bytes();
    if (bytes != volume_.output.promised()) throw Violation{"S5: output.txt is not what was written to it"};
    std::size_t end = forgotten_bytes_;
    for (const auto& round : rounds_) {
        if (round.record.count == 0) continue;
        if (round.offset + round.record.text.size() > bytes.size()) {
            throw Violation{fmt::format("S2: round {} is not in output.txt", round.record.round.value)};
        }
        for (; end < round.offset; ++end) {
            const char wanted = end + 1 == round.offset ? '\n' : ' ';
            if (bytes[end] == wanted || (bytes[end] == '\n' && end > 0 && bytes[end - 1] == ' ')) continue;
            throw Violation{fmt::format("S5: byte {} of output.txt belongs to no round", end)};
        }
        if (bytes.compare(end, round.record.text.size(), round.record.text) != 0) {
            throw Violation{fmt::format("S4: round {} stands otherwise in output.txt", round.record.round.value)};
        }
        end += round.record.text.size();
    }
}

}  // namespace anel::simulation

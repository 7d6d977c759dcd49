// What the judge holds of one decided round: numbers, messages, order, session changes.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "tests/simulation/judge.hpp"

namespace anel::simulation {

void Judge::add(const SimSegment& segment, const SimRecord& record) {
    check_numbers(segment, record);
    DecidedRound round{record.record, record.offset, record.record.round == segment.base.round.next(),
                       read_classic(record.record.text)};
    check_messages(round);
    check_order(round);
    check_anonymous(round);
    for (const auto& change : record.record.changes) {
        const auto before = sessions_.find(change.client_id);
        const bool was = before != sessions_.end();
        if (was && (!change.session || change.session->instance != before->second.instance)) {
            retired_[{change.client_id, before->second.instance}] = record.record.round;
            if (!change.session) check_end_of_session(round, change.client_id, before->second);
        }
    }
    check_changes(round, sessions_);
    for (std::size_t index = 0; index < round.messages.size(); ++index) {
        written_[round.messages[index].payload] = {record.record.round, Sequence{record.record.first.value + index}};
    }
    world_.count("written messages", round.messages.size());
    world_.trace.mix(record.hash);
    rounds_.push_back(std::move(round));
}

void Judge::check_numbers(const SimSegment& segment, const SimRecord& record) const {
    const auto& made = record.record;
    const auto broken = [&](std::string_view what) {
        throw Violation{fmt::format("S4: round {}: {}", made.round.value, what)};
    };
    if (made.round.value != newest_round() + 1) broken("not the next round");
    std::uint64_t first = 1;
    std::uint64_t end = 0;
    WallTime wall_us = 0;
    if (!rounds_.empty()) {
        const auto& last = rounds_.back();
        first = last.record.first.value + last.record.count;
        end = last.offset + last.record.text.size();
        wall_us = last.record.wall_us;
    }
    if (made.first.value != first) broken(fmt::format("its first sequence is {}, not {}", made.first.value, first));
    if (made.wall_us < wall_us) broken("its wall time goes back");
    if (record.offset < end) broken("its bytes overlap the round before");
    if (record.offset > end && made.round != segment.base.round.next()) broken("a gap before its bytes");
    if (made.count == 0 && made.changes.empty()) broken("a round of nothing took a slot");
}

void Judge::check_messages(const DecidedRound& round) const {
    if (round.messages.size() != round.record.count) {
        throw Violation{fmt::format("S4: round {} has {} messages, its count is {}", round.record.round.value,
                                    round.messages.size(), round.record.count)};
    }
    std::set<std::string_view> here;
    std::map<std::string, ClientSequence> last;
    for (const auto& message : round.messages) {
        const auto& pushed = known(message.payload);
        if (!here.insert(message.payload).second || written_.contains(message.payload)) {
            throw Violation{
                fmt::format("S3: '{}' is written twice, again in round {}", message.payload, round.record.round.value)};
        }
        if (!pushed.nodes.contains(message.container)) {
            throw Violation{
                fmt::format("S5: '{}' was never sent to container {}", message.payload, message.container.value)};
        }
        if (pushed.client_id.empty()) continue;
        const auto session = sessions_.find(pushed.client_id);
        if (session == sessions_.end() || session->second.instance != pushed.instance) {
            throw Violation{fmt::format("S3: '{}' is written under no session of its instance", message.payload)};
        }
        const auto& before = last.try_emplace(pushed.client_id, session->second.last).first->second;
        if (pushed.sequence != before.next()) {
            throw Violation{fmt::format("S4: '{}' follows client sequence {}", message.payload, before.value)};
        }
        last[pushed.client_id] = pushed.sequence;
    }
}

/// (timestamp, container) is raised to that of the same client's message before; then the tuple decides.
void Judge::check_order(const DecidedRound& round) const {
    using Place = std::tuple<Timestamp, std::uint64_t, std::string, std::uint64_t>;
    std::map<std::string, std::pair<Timestamp, std::uint64_t>> raised;
    std::vector<Place> places;
    for (const auto& message : round.messages) {
        const auto& pushed = known(message.payload);
        // The node gives anonymous messages their time; where they stand is not known here.
        if (pushed.client_id.empty()) continue;
        const std::pair own{pushed.timestamp, message.container.value};
        auto& highest = raised.try_emplace(pushed.client_id, own).first->second;
        highest = std::max(highest, own);
        places.emplace_back(highest.first, highest.second, pushed.client_id, pushed.sequence.value);
    }
    if (!std::is_sorted(places.begin(), places.end())) {
        throw Violation{fmt::format("S4: round {} is not in the voted order", round.record.round.value)};
    }
}

/// Who did not say bye keeps its session, unless there are too many and it was idle for long enough.
void Judge::check_end_of_session(const DecidedRound& round, const std::string& client_id,
                                 const Session& session) const {
    if (client_id.starts_with(anonymous_prefix) || leaving_.contains({client_id, session.instance})) return;
    const auto& config = world_.plan.config;
    world_.strike(Fault::session_retired);
    std::size_t with_new = sessions_.size();
    for (const auto& change : round.record.changes) with_new += change.session && !sessions_.contains(change.client_id);
    if (with_new > config.sessions && round.record.wall_us - session.wall_us >= config.session_idle_us) return;
    throw Violation{fmt::format("S3: round {} ends the session of {}, one of {}, idle for {} us",
                                round.record.round.value, client_id, with_new, round.record.wall_us - session.wall_us)};
}

void Judge::check_anonymous(const DecidedRound& round) const {
    std::set<Sequence> told;
    for (const auto& change : round.record.changes) {
        for (const auto sequence : change.each) {
            if (!change.client_id.starts_with(anonymous_prefix) || !told.insert(sequence).second) {
                throw Violation{
                    fmt::format("round {}: odd sequences of {}", round.record.round.value, change.client_id)};
            }
        }
    }
    std::set<Sequence> there;
    for (std::size_t index = 0; index < round.messages.size(); ++index) {
        if (known(round.messages[index].payload).client_id.empty()) there.insert({round.record.first.value + index});
    }
    if (told != there) {
        throw Violation{fmt::format("round {} has {} anonymous messages and tells of {}", round.record.round.value,
                                    there.size(), told.size())};
    }
}

void Judge::apply(const RoundRecord& record, Sessions& sessions) {
    for (const auto& change : record.changes) {
        if (change.session) sessions[change.client_id] = *change.session;
        else sessions.erase(change.client_id);
    }
}

void Judge::check_changes(const DecidedRound& round, Sessions& sessions) const {
    const auto& record = round.record;
    const auto broken = [&](const std::string& id, std::string_view what) {
        throw Violation{fmt::format("round {}: session of {}: {}", record.round.value, id, what)};
    };
    std::map<std::string, std::pair<ClientSequence, Sequence>> last;
    for (std::size_t index = 0; index < round.messages.size(); ++index) {
        const auto& pushed = known(round.messages[index].payload);
        if (!pushed.client_id.empty()) last[pushed.client_id] = {pushed.sequence, Sequence{record.first.value + index}};
    }
    std::set<std::string> changed;
    for (const auto& change : record.changes) {
        const auto& id = change.client_id;
        if (!changed.insert(id).second) broken(id, "changed twice");
        const auto before = sessions.find(id);
        const bool was = before != sessions.end();
        if (!change.session) continue;
        const auto& now = *change.session;
        if (now.round != record.round) broken(id, "its round is not this one");
        if (now.instance.value == 0 && !id.starts_with(anonymous_prefix)) broken(id, "no instance");
        const bool reborn = !was || before->second.instance != now.instance;
        if (reborn && now.birth != record.round) broken(id, "its birth is not this round");
        if (was && !reborn && now.birth != before->second.birth && now.birth != record.round)
            broken(id, "an odd birth");
        if (now.inherited > now.last) broken(id, "it inherited more than there is");
        if (!reborn && now.birth == before->second.birth && now.inherited != before->second.inherited) {
            broken(id, "its inheritance changed");
        }
        if (id.starts_with(anonymous_prefix)) continue;
        const auto wrote = last.find(id);
        if (wrote != last.end()) {
            if (now.last != wrote->second.first || now.sequence != wrote->second.second) {
                broken(id, fmt::format("last {} at {}, written is {} at {}", now.last.value, now.sequence.value,
                                       wrote->second.first.value, wrote->second.second.value));
            }
        } else if (was && now.last != before->second.last && !(reborn && now.last.value == 0)) {
            broken(id, "its last changed without a message");
        } else if (!was && now.last.value != 0) {
            broken(id, "a new session that has written");
        }
    }
    for (const auto& [id, wrote] : last) {
        if (!changed.contains(id)) broken(id, "it wrote and did not change");
    }
    apply(record, sessions);
}

}  // namespace anel::simulation

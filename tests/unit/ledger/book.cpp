#include "tests/unit/ledger/book.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/unit/ledger/world.hpp"

namespace anel::test {

void take_changes(Sessions& sessions, const std::vector<SessionChange>& changes) {
    for (const auto& change : changes) {
        if (change.session) {
            sessions[change.client_id] = *change.session;
        } else {
            sessions.erase(change.client_id);
        }
    }
}

RoundRecord Book::next() const {
    RoundRecord record;
    record.round = {decided_ + 1};
    record.first = {sequence_ + 1};
    record.wall_us = static_cast<WallTime>(1000 + record.round.value);
    return record;
}

RoundRecord Book::hello(const std::string& client) const {
    auto record = next();
    record.changes = {{.client_id = client,
                       .session = Session{.instance = {record.round.value},
                                          .birth = record.round,
                                          .last = {},
                                          .sequence = {},
                                          .round = record.round,
                                          .wall_us = record.wall_us,
                                          .inherited = {}},
                       .each = {}}};
    return record;
}

RoundRecord Book::message(const std::string& client, std::string_view who, std::size_t filler) const {
    auto record = next();
    auto session = sessions().at(client);
    session.last = session.last.next();
    session.sequence = record.first;
    session.round = record.round;
    session.wall_us = record.wall_us;
    record.count = 1;
    record.text = text_of(record.round.value, who, filler);
    record.changes = {{.client_id = client, .session = session, .each = {}}};
    return record;
}

RoundRecord Book::bye(const std::string& client) const {
    auto record = next();
    record.changes = {{.client_id = client, .session = std::nullopt, .each = {}}};
    return record;
}

void Book::tried(const RoundRecord& record) {
    tries_.resize(std::max<std::size_t>(tries_.size(), record.round.value));
    tries_[record.round.value - 1].push_back({record, {}, {}});
}

void Book::decided(const RoundRecord& record, std::size_t events) {
    tries_.resize(std::max<std::size_t>(tries_.size(), record.round.value));
    Try kept{record, events, {}};
    auto& tries = tries_[record.round.value - 1];
    std::erase_if(tries, [&](const Try& each) { return each.record == record; });
    tries.push_back(kept);
    keep(std::move(kept));
}

/// The last try of the next round is the one.
void Book::keep(Try kept) {
    tries_[decided_].back().offset = end_;
    ++decided_;
    end_ += kept.record.text.size();
    sequence_ += kept.record.count;
    sessions_.push_back(sessions_.back());
    take_changes(sessions_.back(), kept.record.changes);
}

Snapshot Book::snapshot() const {
    Snapshot snapshot{.round = {decided_},
                      .sequence = {sequence_},
                      .wall_us = static_cast<WallTime>(decided_ == 0 ? 0 : 1000 + decided_),
                      .sessions = {sessions().begin(), sessions().end()}};
    std::sort(snapshot.sessions.begin(), snapshot.sessions.end(),
              [](const auto& left, const auto& right) { return left.second.round < right.second.round; });
    return snapshot;
}

void Book::found(std::string_view output, std::uint64_t rounds, std::uint64_t vouched, std::size_t events) {
    BOOST_REQUIRE_GE(rounds, vouched);
    BOOST_REQUIRE_LE(rounds, tries_.size());
    BOOST_REQUIRE(output.starts_with(start_));
    const auto known = std::exchange(tries_, {});
    decided_ = sequence_ = 0;
    end_ = start_.size();
    sessions_.resize(1);
    // One line of blanks; several cuts in a row leave one each. Says whether there was one.
    const auto skip_blanks = [&] {
        const auto begin = end_;
        while (end_ < output.size() && output[end_] == ' ') {
            ++end_;
        }
        BOOST_REQUIRE(end_ == output.size() || output[end_] == '\n' || end_ == begin);
        end_ += end_ < output.size() && output[end_] == '\n' ? 1 : 0;
        return end_ > begin;
    };
    for (std::uint64_t round = 1; round <= rounds; ++round) {
        const auto& tries = known[round - 1];
        const auto fits = [&](const Try& each) { return output.substr(end_).starts_with(each.record.text); };
        auto one = std::find_if(tries.begin(), tries.end(), fits);
        while (one == tries.end() && skip_blanks()) {
            one = std::find_if(tries.begin(), tries.end(), fits);
        }
        BOOST_REQUIRE_MESSAGE(one != tries.end(), "round " << round << " is not at byte " << end_ << " of output.txt");
        const auto last = std::find_if(tries.begin(), tries.end(), [&](const Try& each) {
            return each.decided && (*each.decided <= events || round <= vouched);
        });
        if (last != tries.end()) {
            BOOST_REQUIRE_MESSAGE(one == last, "round " << round << " was decided, and is another one now");
        }
        if (round <= vouched && !one->record.text.empty()) {
            BOOST_REQUIRE(one->offset.has_value());
            BOOST_REQUIRE_MESSAGE(*one->offset == end_, "round " << round << " was moved to byte " << end_);
        }
        BOOST_REQUIRE_EQUAL(one->record.first.value, sequence_ + 1);
        tries_.push_back(std::vector<Try>{Try{one->record, 0, {}}});
        keep(*one);
    }
    while (skip_blanks()) {
        BOOST_REQUIRE_EQUAL(output[end_ - 1], '\n');
    }
    BOOST_REQUIRE_EQUAL(end_, output.size());
}

}  // namespace anel::test

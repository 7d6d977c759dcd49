// The token at one node: taken once, resent until acked, decided before it is written and written before it goes on.
#include "ring/core/passage.hpp"

#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;

namespace {

/// Node 1 of three; the token comes from node 0 and goes to node 2.
struct Stand : Desk {
    Passage passage{context, clients};
    std::size_t seen = 0;

    explicit Stand(NodeConfig config = one_of_three(1)) : Desk{std::move(config)} { passage.begin(view, LinkId{9}); }

    template <class Act>
    std::vector<Act> acts() {
        std::vector<Act> found;
        for (auto at = seen; at < context.actions.size(); ++at) {
            if (const auto* act = std::get_if<Act>(&context.actions[at])) found.push_back(*act);
        }
        return found;
    }
    std::vector<Token> sent() {
        std::vector<Token> tokens;
        for (const auto& send : acts<SendLink>()) tokens.push_back(std::get<Token>(send.message));
        return tokens;
    }
    void forget() { seen = context.actions.size(); }
    void take(Token token) {
        forget();
        passage.token_arrived(std::move(token));
        passage.check_invariants();
    }
    /// A session and a batch in the queue, without the token's help.
    void with_work() {
        greet("c", "id", 7);
        arrive("c", push("id", 7, 1, {"x"}));
    }
    static Token parked(std::uint64_t hop, std::uint64_t epoch = 1) { return {{epoch}, {hop}, std::nullopt, {}}; }
    Token open_by_other(std::uint64_t hop) { return {{1}, {hop}, OpenRound{{hop - 1}, {0}, 1, false, {}}, {}}; }
    /// Own round comes back with the marks of the others.
    Token open_by_self(std::uint64_t opened) {
        return {{1}, {opened + 3}, OpenRound{{opened}, {1}, 0b101, false, {}}, {}};
    }
    static Wake wake() { return {{1}, {}, {}}; }
    static Wake wake_with(const Blob& frame, std::uint64_t birth) {
        return {{1}, {{{birth}, static_cast<std::uint32_t>(frame.size())}}, frame};
    }
    void wait(Duration time) {
        tick(time);
        forget();
        passage.ticked();
    }
};

NodeConfig placing(std::size_t from) {
    auto config = one_of_three(1);
    config.place_bids_from = from;
    return config;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(passage)

BOOST_AUTO_TEST_CASE(a_token_gets_the_vote_and_the_bid_and_goes_one_hop_further) {
    Stand stand;
    stand.with_work();
    stand.take(stand.open_by_other(5));
    const auto sent = stand.sent();
    BOOST_REQUIRE_EQUAL(sent.size(), 1U);
    BOOST_TEST(sent[0].hop.value == 6U);
    BOOST_TEST(sent[0].open->votes == 0b011U);
    BOOST_REQUIRE_EQUAL(sent[0].open->bids.size(), 1U);
    BOOST_TEST(sent[0].open->bids[0].node.value == 1U);
    BOOST_TEST(stand.clients.has_bid());
}

BOOST_AUTO_TEST_CASE(a_duplicate_token_changes_nothing) {
    Stand stand;
    stand.with_work();
    stand.take(stand.open_by_other(5));
    stand.take(stand.open_by_other(5));
    BOOST_TEST(stand.acts<SendLink>().empty());
    stand.take(stand.open_by_other(4));
    BOOST_TEST(stand.acts<SendLink>().empty());
    BOOST_TEST(!stand.passage.holds());
    stand.take(Stand::parked(8));
    BOOST_TEST(stand.passage.holds());
    stand.take(Stand::parked(8));
    BOOST_TEST(stand.passage.holds());
}

BOOST_AUTO_TEST_CASE(a_token_of_another_epoch_changes_nothing) {
    Stand stand;
    for (const std::uint64_t epoch : {0, 2}) {
        stand.take(Stand::parked(5, epoch));
        BOOST_TEST(!stand.passage.holds());
        BOOST_TEST(stand.acts<SendLink>().empty());
    }
    stand.take(Stand::parked(1));
    BOOST_TEST(stand.passage.holds());
}

BOOST_AUTO_TEST_CASE(a_hop_is_resent_as_it_was_until_its_own_ack_comes) {
    Stand stand;
    stand.take(stand.open_by_other(5));
    const auto first = stand.sent();
    stand.wait(stand.context.config.timing.hop_resend);
    BOOST_TEST((stand.sent() == first));
    for (const auto& ack : {HopAck{{1}, {5}}, HopAck{{2}, {6}}}) {
        stand.passage.hop_acked(ack);
        stand.wait(stand.context.config.timing.hop_resend);
        BOOST_TEST((stand.sent() == first));
    }
    stand.passage.hop_acked({{1}, {6}});
    stand.wait(1h);
    BOOST_TEST(stand.sent().empty());
    BOOST_TEST(!stand.passage.take_trouble().has_value());
}

BOOST_AUTO_TEST_CASE(a_hop_that_is_never_acked_ends_the_epoch) {
    Stand stand;
    stand.take(stand.open_by_other(5));
    stand.wait(stand.context.config.timing.token_timeout);
    const auto trouble = stand.passage.take_trouble();
    BOOST_REQUIRE(trouble);
    BOOST_TEST((trouble->reason == SuspectReason::token_overdue));
    BOOST_TEST(trouble->about.value == 2U);
}

BOOST_AUTO_TEST_CASE(decide_then_write_then_forward_and_no_step_before_the_one_before_it_is_done) {
    Stand stand;
    stand.with_work();
    stand.take(Stand::parked(5));
    BOOST_REQUIRE_EQUAL(stand.sent().size(), 1U);
    BOOST_TEST(stand.sent()[0].open->bids.empty());  // the own bid stays at home
    stand.take(stand.open_by_self(5));
    BOOST_REQUIRE_EQUAL(stand.acts<DecideRound>().size(), 1U);
    BOOST_TEST(stand.sent().empty());
    BOOST_TEST(stand.acts<WriteOutput>().empty());
    const auto before = stand.context.tip.round;
    stand.forget();
    stand.passage.round_decided();
    BOOST_TEST((stand.context.tip.round == before.next()));
    BOOST_TEST(stand.acts<WriteOutput>().size() == 1U);
    BOOST_TEST(stand.sent().empty());
    BOOST_TEST(stand.acts<MakeDurable>().empty());
    stand.forget();
    stand.passage.output_written();
    BOOST_TEST(stand.acts<MakeDurable>().size() == 1U);
    BOOST_REQUIRE_EQUAL(stand.sent().size(), 1U);
    BOOST_TEST(stand.sent()[0].closed.back().result->round.value == before.value + 1);
    BOOST_TEST(stand.acts<ReplyClient>().empty());  // not durable yet
}

BOOST_AUTO_TEST_CASE(a_fenced_decide_ends_the_epoch_and_forwards_nothing) {
    Stand stand;
    stand.with_work();
    stand.take(Stand::parked(5));
    stand.take(stand.open_by_self(5));
    const auto before = stand.context.tip.round;
    stand.forget();
    stand.passage.round_refused(DecideRefusal::fenced);
    BOOST_TEST(stand.sent().empty());
    BOOST_TEST((stand.context.tip.round == before));
    BOOST_REQUIRE(stand.passage.take_trouble().has_value());
    stand.passage.end();
    stand.passage.check_invariants();
    BOOST_TEST(stand.clients.has_bid());  // it is bid again in the next epoch
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_to_all_and_the_token_goes_on) {
    Stand stand;
    stand.with_work();
    stand.take(Stand::parked(5));
    stand.take(stand.open_by_self(5));
    stand.forget();
    stand.passage.round_refused(DecideRefusal::disk_full);
    BOOST_REQUIRE_EQUAL(stand.sent().size(), 1U);
    BOOST_TEST(stand.sent()[0].closed.back().disk_full);
    BOOST_REQUIRE_EQUAL(stand.acts<ReplyClient>().size(), 1U);
    BOOST_TEST((std::get<Reject>(stand.acts<ReplyClient>()[0].reply).code == RejectCode::disk_full));
}

BOOST_AUTO_TEST_CASE(a_round_without_every_mark_is_not_elected) {
    Stand stand;
    stand.with_work();
    stand.take(Stand::parked(5));
    auto token = stand.open_by_self(5);
    token.open->votes = 0b001;
    stand.take(token);
    BOOST_TEST(stand.acts<DecideRound>().empty());
    BOOST_TEST(stand.passage.take_trouble().has_value());
}

BOOST_AUTO_TEST_CASE(a_parked_token_wakes_for_own_work_and_for_a_wake) {
    Stand stand;
    stand.take(Stand::parked(5));
    BOOST_TEST(stand.passage.parked());
    BOOST_TEST(!stand.passage.next_wakeup().has_value());
    stand.forget();
    stand.passage.wake_arrived({2}, stand.wake());
    BOOST_TEST(stand.acts<SendControl>().size() == 1U);
    BOOST_TEST(stand.sent().size() == 1U);
    BOOST_TEST(!stand.passage.parked());
}

BOOST_AUTO_TEST_CASE(a_round_that_gathered_nothing_stays_open_and_elects_what_comes_next_without_a_lap) {
    Stand stand;
    stand.take(stand.open_by_self(5));
    BOOST_TEST(stand.passage.parked());
    BOOST_TEST(stand.sent().empty());
    stand.with_work();
    stand.forget();
    stand.passage.work_came();
    BOOST_REQUIRE_EQUAL(stand.acts<DecideRound>().size(), 1U);
    BOOST_TEST(stand.sent().empty());
    stand.passage.round_decided();
    stand.forget();
    stand.passage.output_written();
    // The lap that tells the result gathers the next votes.
    BOOST_REQUIRE_EQUAL(stand.sent().size(), 1U);
    BOOST_TEST(stand.sent()[0].closed.size() == 1U);
    BOOST_REQUIRE(stand.sent()[0].open.has_value());
    BOOST_TEST(stand.sent()[0].open->votes == 0U);
}

BOOST_AUTO_TEST_CASE(a_round_that_gathered_nothing_and_lacks_a_mark_does_not_stay_open) {
    Stand stand;
    auto token = stand.open_by_self(5);
    token.open->votes = 0b001;
    stand.take(token);
    BOOST_TEST(!stand.passage.parked());
    BOOST_TEST(stand.passage.take_trouble().has_value());
}

BOOST_AUTO_TEST_CASE(what_comes_with_a_wake_is_in_the_round_that_closes_without_a_lap) {
    Stand stand;
    stand.context.sessions.apply({"id", Session{{7}, {1}, {}, {}, {1}, 0, {}}, {}});
    stand.take(stand.open_by_self(5));
    stand.forget();
    stand.passage.wake_arrived({2}, Stand::wake_with(push("id", 7, 1, {"x"}), 1));
    BOOST_REQUIRE_EQUAL(stand.acts<DecideRound>().size(), 1U);
    const auto record = stand.acts<DecideRound>()[0].record;
    BOOST_TEST(record.count == 1U);
    BOOST_TEST(record.text.starts_with("Container 2 \n"));
    stand.passage.round_decided();
    stand.passage.output_written();
    stand.forget();
    stand.passage.became_durable(stand.context.tip.round);
    BOOST_REQUIRE_EQUAL(stand.acts<SendControl>().size(), 1U);
    BOOST_TEST(stand.acts<SendControl>()[0].to.value == 2U);
}

BOOST_AUTO_TEST_CASE(a_wake_that_comes_twice_or_late_writes_nothing_twice) {
    Stand stand;
    stand.context.sessions.apply({"id", Session{{7}, {1}, {}, {}, {1}, 0, {}}, {}});
    stand.take(stand.open_by_self(5));
    const auto wake = Stand::wake_with(push("id", 7, 1, {"x"}), 1);
    stand.passage.wake_arrived({2}, wake);
    stand.passage.round_decided();
    stand.passage.output_written();
    const auto round = stand.context.tip.round;
    // The same wake again while the token is away, and the token back with that bid on it as well.
    stand.passage.wake_arrived({2}, wake);
    auto token = stand.open_by_self(8);
    token.open->bids.push_back(bid_of(2, {{1, push("id", 7, 1, {"x"})}}));
    stand.take(token);
    BOOST_TEST(stand.acts<DecideRound>().empty());
    BOOST_TEST((stand.context.tip.round == round));
}

BOOST_AUTO_TEST_CASE(a_member_with_work_sends_a_copy_of_it_with_its_wake_and_keeps_it) {
    Stand stand;
    stand.greet("c", "id", 7);
    stand.take(stand.open_by_other(5));  // votes "none"; nobody before has a bid either
    stand.arrive("c", push("id", 7, 1, {"x"}));
    stand.forget();
    stand.passage.work_came();
    BOOST_REQUIRE_EQUAL(stand.acts<SendControl>().size(), 1U);
    const auto wake = std::get<Wake>(stand.acts<SendControl>()[0].message);
    BOOST_TEST(wake.entries.size() == 1U);
    BOOST_TEST((wake.frames == push("id", 7, 1, {"x"})));
    BOOST_TEST(stand.clients.has_work());
    // A round of another has it: it is not bid again.
    const auto session = *stand.context.sessions.find("id");
    Session after = session;
    after.last = {1};
    after.sequence = stand.context.tip.sequence.next();
    after.round = stand.context.tip.round.next();
    auto token = stand.open_by_other(8);
    token.closed.push_back(
        {{4}, {0}, {1}, false, RoundResult{{1}, after.round, after.sequence, 1, 0, 10, {{"id", after, {}}}}});
    stand.take(token);
    BOOST_TEST(!stand.clients.has_work());
    BOOST_REQUIRE_EQUAL(stand.sent().size(), 1U);
    BOOST_TEST(stand.sent()[0].open->bids.empty());
}

BOOST_AUTO_TEST_CASE(a_wake_brings_no_hello_and_nothing_from_behind_one) {
    Stand stand;
    stand.greet("c", "id", 7);
    stand.arrive("d", hello("other", 8));
    stand.words();
    stand.arrive("c", push("id", 7, 1, {"x"}));
    BOOST_REQUIRE(stand.clients.has_work());
    stand.forget();
    stand.passage.work_came();
    BOOST_REQUIRE_EQUAL(stand.acts<SendControl>().size(), 1U);
    const auto wake = std::get<Wake>(stand.acts<SendControl>()[0].message);
    BOOST_TEST(wake.entries.empty());
    BOOST_TEST(wake.frames.empty());
}

BOOST_AUTO_TEST_CASE(work_without_a_token_wakes_the_holder_until_it_answers_and_then_suspects_it) {
    Stand stand;
    stand.with_work();
    stand.forget();
    stand.passage.work_came();
    BOOST_REQUIRE_EQUAL(stand.acts<SendControl>().size(), 1U);
    BOOST_TEST(stand.acts<SendControl>()[0].to.value == 0U);  // where a young epoch's token is
    stand.wait(stand.context.config.timing.wake_resend);
    BOOST_TEST(stand.acts<SendControl>().size() == 2U);
    stand.passage.wake_acked();
    stand.wait(stand.context.config.timing.wake_resend);
    BOOST_TEST(stand.acts<SendControl>().empty());
    stand.wait(stand.context.config.timing.token_timeout);
    BOOST_TEST(stand.passage.take_trouble().has_value());
}

BOOST_AUTO_TEST_CASE(a_lingering_round_goes_when_all_have_work_or_its_time_is_over) {
    auto config = one_of_three(1);
    config.linger = 10ms;
    for (const bool all : {true, false}) {
        Stand stand{config};
        stand.with_work();
        stand.take(Stand::parked(5));
        BOOST_TEST(stand.sent().empty());
        stand.passage.wake_arrived({0}, stand.wake());
        BOOST_TEST(stand.sent().empty());
        if (all) stand.passage.wake_arrived({2}, stand.wake());
        else stand.wait(10ms);
        BOOST_TEST(stand.sent().size() == 1U);
        stand.passage.check_invariants();
    }
}

BOOST_AUTO_TEST_CASE(the_durable_notice_goes_to_who_has_a_bid_in_the_round_alone) {
    Stand stand;
    stand.with_work();
    stand.take(Stand::parked(5));
    auto token = stand.open_by_self(5);
    token.open->bids.push_back(bid_of(2, {{0, hello("other", 3)}}));
    stand.take(token);
    stand.passage.round_decided();
    stand.passage.output_written();
    BOOST_TEST(!stand.passage.may_leave());
    stand.forget();
    stand.passage.became_durable(stand.context.tip.round);
    BOOST_REQUIRE_EQUAL(stand.acts<SendControl>().size(), 1U);
    BOOST_TEST(stand.acts<SendControl>()[0].to.value == 2U);
    BOOST_TEST(stand.passage.may_leave());
}

BOOST_AUTO_TEST_CASE(a_result_that_does_not_follow_the_own_table_ends_the_epoch_here) {
    Stand stand;
    auto token = Stand::parked(5);
    token.closed.push_back({{2}, {0}, {1}, false, RoundResult{{1}, {7}, {1}, 0, 0, 0, {}}});
    stand.take(token);
    BOOST_TEST(stand.passage.take_trouble().has_value());
    BOOST_TEST(stand.context.tip.round.value == 0U);
    BOOST_TEST(stand.sent().empty());
}

BOOST_AUTO_TEST_CASE(a_result_that_the_own_table_has_already_changes_nothing) {
    Stand stand;
    stand.greet("c", "id", 7);
    const auto tip = stand.context.tip;
    const auto session = *stand.context.sessions.find("id");
    Session other = session;
    other.last = {9};
    ClosedRound closed;
    closed.opened = {2};
    closed.result = RoundResult{{1}, tip.round, {1}, 9, 0, 10, {{"id", other, {}}}};
    auto token = stand.open_by_other(5);
    token.closed.push_back(std::move(closed));
    stand.take(token);
    BOOST_TEST((stand.context.tip == tip));
    BOOST_TEST((*stand.context.sessions.find("id") == session));
    BOOST_TEST(!stand.passage.take_trouble().has_value());
    BOOST_TEST(stand.sent().size() == 1U);
}

BOOST_AUTO_TEST_CASE(only_large_bids_are_placed_and_none_where_it_is_switched_off) {
    for (const auto& [from, placed] :
         {std::pair{std::size_t{1}, true}, {std::size_t{1'000'000}, false}, {std::size_t{0}, false}}) {
        Stand idle{placing(from)};
        idle.take(idle.open_by_other(5));  // nothing to bid
        BOOST_TEST(!idle.acts<SendLink>().at(0).place_bid);
        Stand stand{placing(from)};
        stand.with_work();
        stand.take(stand.open_by_other(8));
        BOOST_TEST(stand.acts<SendLink>().at(0).place_bid == placed);
        stand.wait(stand.context.config.timing.hop_resend);
        BOOST_TEST(stand.acts<SendLink>().at(0).place_bid == placed);  // resent as it was
    }
}

BOOST_AUTO_TEST_CASE(a_bid_that_stays_away_ends_the_epoch_and_none_of_its_round_is_written) {
    Stand stand;
    auto token = stand.open_by_self(3);
    auto lost = bid_of(2, {{1, Blob::copy("three")}});
    lost.placed = PlacedBytes{5, 7};
    lost.chunks.clear();
    token.open->bids = {bid_of(0, {{1, Blob::copy("one")}}), lost};
    stand.take(std::move(token));
    BOOST_TEST(stand.acts<DecideRound>().empty());
    BOOST_TEST(stand.sent().empty());
    const auto trouble = stand.passage.take_trouble();
    BOOST_REQUIRE(trouble.has_value());
    BOOST_TEST((trouble->reason == SuspectReason::bid_lost));
    BOOST_TEST(trouble->about.value == 2U);
}

BOOST_AUTO_TEST_CASE(after_a_lost_bid_bids_travel_for_a_while) {
    for (const bool a_while_ago : {false, true}) {
        Stand stand{placing(1)};
        stand.with_work();
        stand.context.bid_was_lost();
        if (a_while_ago) stand.tick(stand.context.config.timing.token_timeout * 200);
        stand.take(stand.open_by_other(5));
        BOOST_TEST(stand.acts<SendLink>().at(0).place_bid == a_while_ago);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// Who waits for output and who is answered, by marks and by the time.
#include <boost/test/unit_test.hpp>

#include "ring/feed/reading_desk.hpp"

using namespace anel;
using namespace std::chrono_literals;

namespace {

constexpr auto plenty = limits::feed_bytes_under_way_max;

struct World {
    ReadingDesk desk{"mine", 3};
    Instant now{1h};

    std::optional<Refusal> ask(const std::string& who, FeedRead request) {
        return desk.take({who, false}, encode(request), now);
    }
    void must_ask(const std::string& who, FeedRead request) { BOOST_REQUIRE(!ask(who, std::move(request))); }
    std::vector<DeskAnswer> due(std::uint64_t end, std::uint64_t room = plenty) {
        return desk.due({0, end}, room, now);
    }
};

void check_portion(const DeskAnswer& answer, const std::string& who, std::uint64_t offset, std::uint64_t bytes) {
    const auto* portion = std::get_if<Portion>(&answer);
    BOOST_REQUIRE(portion != nullptr);
    BOOST_TEST(portion->to.routing_id == who);
    BOOST_TEST(portion->offset == offset);
    BOOST_TEST(portion->bytes == bytes);
}
void check_refusal(const std::optional<DeskAnswer>& answer, FeedRefusal code) {
    BOOST_REQUIRE(answer.has_value());
    const auto* refusal = std::get_if<Refusal>(&*answer);
    BOOST_REQUIRE(refusal != nullptr);
    BOOST_TEST((refusal->reject.code == code));
    BOOST_TEST(refusal->reject.text.find('\n') == std::string::npos);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(a_reading_desk)

BOOST_AUTO_TEST_CASE(what_is_there_is_answered_at_once_and_never_beyond_the_end) {
    World world;
    world.must_ask("a", {"mine", 10, 1000});
    world.must_ask("b", {"", 10, 5});
    const auto answers = world.due(30);
    BOOST_REQUIRE(answers.size() == 2U);
    check_portion(answers[0], "a", 10, 20);
    check_portion(answers[1], "b", 10, 5);
    BOOST_TEST(world.desk.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(one_answer_is_bounded_whatever_is_asked_for) {
    World world;
    world.must_ask("a", {"", 0, UINT64_MAX});
    check_portion(world.due(UINT64_MAX).at(0), "a", 0, limits::feed_answer_bytes_max);
}

BOOST_AUTO_TEST_CASE(who_is_at_the_end_waits_for_more_or_for_the_heartbeat) {
    World world;
    world.must_ask("a", {"", 30, 1000});
    world.must_ask("b", {"", 31, 1000});
    BOOST_TEST(world.due(30).empty());
    check_portion(world.due(31).at(0), "a", 30, 1);
    BOOST_TEST((world.desk.next_wakeup() == world.now + feed_heartbeat));
    world.now += feed_heartbeat - 1us;
    BOOST_TEST(world.due(31).empty());
    world.now += 1us;
    check_portion(world.due(31).at(0), "b", 31, 0);
    BOOST_TEST(!world.desk.next_wakeup());
}

BOOST_AUTO_TEST_CASE(who_asks_for_no_bytes_hears_of_the_end_at_once) {
    World world;
    world.must_ask("a", {"", 0, 0});
    check_portion(world.due(30).at(0), "a", 0, 0);
    world.must_ask("a", {"", 50, 0});
    check_portion(world.due(30).at(0), "a", 30, 0);
}

BOOST_AUTO_TEST_CASE(who_knows_more_than_this_node_is_told_after_a_while) {
    World world;
    world.must_ask("a", {"mine", 31, 1000});
    BOOST_TEST(world.due(30).empty());
    world.now += feed_heartbeat;
    check_refusal(world.due(30).at(0), FeedRefusal::behind);
}

BOOST_AUTO_TEST_CASE(what_was_removed_is_refused_and_a_look_says_where_the_rest_begins) {
    World world;
    const Extent there{.begin = 20, .end = 30};
    world.must_ask("a", {"mine", 19, 1000});
    world.must_ask("b", {"mine", 20, 1000});
    world.must_ask("c", {"mine", 0, 0});
    const auto answers = world.desk.due(there, plenty, world.now);
    BOOST_REQUIRE(answers.size() == 3U);
    check_refusal(answers[0], FeedRefusal::removed);
    check_portion(answers[1], "b", 20, 10);
    check_portion(answers[2], "c", 20, 0);
}

BOOST_AUTO_TEST_CASE(another_ledger_is_refused) {
    World world;
    check_refusal(world.ask("a", {"yours", 0, 1000}), FeedRefusal::other_ledger);
    BOOST_TEST(world.desk.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(rubbish_costs_one_refusal_and_no_place) {
    World world;
    const auto refused = world.desk.take({"a", false}, as_bytes("rubbish"), world.now);
    check_refusal(refused, FeedRefusal::malformed);
    BOOST_TEST(world.desk.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(who_asks_again_has_changed_its_mind) {
    World world;
    world.must_ask("a", {"", 30, 1000});
    world.must_ask("a", {"", 20, 1000});
    BOOST_TEST(world.desk.waiting() == 1U);
    check_portion(world.due(30).at(0), "a", 20, 10);
}

BOOST_AUTO_TEST_CASE(places_are_bounded) {
    World world;
    for (const auto* who : {"a", "b", "c"}) world.must_ask(who, {"", 0, 1000});
    check_refusal(world.ask("d", {"", 0, 1000}), FeedRefusal::too_many_readers);
    world.must_ask("c", {"", 1, 1000});
    BOOST_TEST(world.desk.waiting() == 3U);
}

BOOST_AUTO_TEST_CASE(without_room_readers_wait_in_their_order) {
    World world;
    world.must_ask("a", {"", 0, 100});
    world.must_ask("b", {"", 0, 100});
    world.must_ask("c", {"", 0, 10});
    auto answers = world.due(1000, 150);
    BOOST_REQUIRE(answers.size() == 2U);
    check_portion(answers[0], "a", 0, 100);
    check_portion(answers[1], "c", 0, 10);
    BOOST_TEST(world.due(1000, 99).empty());
    check_portion(world.due(1000, 100).at(0), "b", 0, 100);
}

BOOST_AUTO_TEST_CASE(all_are_told_when_the_node_leaves) {
    World world;
    world.must_ask("a", {"", 30, 1000});
    world.must_ask("b", {"", 99, 1000});
    const auto answers = world.desk.refuse_all(FeedRefusal::shutting_down, "bye");
    BOOST_REQUIRE(answers.size() == 2U);
    for (const auto& one : answers) check_refusal(one, FeedRefusal::shutting_down);
    BOOST_TEST(world.desk.waiting() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

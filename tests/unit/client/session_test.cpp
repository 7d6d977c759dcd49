// What a session does while all is well: hello, batches, window, acks, bye.
#include "tests/unit/client/world.hpp"

using namespace anel;
using namespace anel::client;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(hello_comes_before_any_push) {
    World world;
    world.tick();
    BOOST_TEST(world.opened == std::vector<std::size_t>{0});
    world.push("early");
    world.step(Connected{});
    BOOST_REQUIRE_EQUAL(world.hellos.size(), 1U);
    BOOST_TEST((world.hellos[0] == HelloRequest{"tea", {7}, {0}}));
    BOOST_TEST(world.pushes.empty());
    world.welcome(0);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 1U);
    BOOST_TEST(world.pushes[0].first.value == 1U);
}

BOOST_AUTO_TEST_CASE(a_session_taken_over_goes_on_behind_what_stands_there) {
    World world;
    world.begin(41);
    world.push("next");
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 1U);
    BOOST_TEST(world.pushes[0].first.value == 42U);
    world.ack(42);
    BOOST_TEST(is_durable(world, 1));
}

BOOST_AUTO_TEST_CASE(idle_it_sends_at_once_and_under_way_it_gathers_a_batch) {
    World world;
    world.begin();
    world.push("a");
    world.push("b");
    world.push("c");
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 1U);
    world.ack(1);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 2U);
    BOOST_TEST(world.pushes[1].first.value == 2U);
    BOOST_TEST(world.pushes[1].payloads.size() == 2U);
}

BOOST_AUTO_TEST_CASE(full_batches_go_out_while_others_are_under_way) {
    World world;
    world.begin();
    world.push_many(8);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 2U);
    BOOST_TEST(world.pushes[1].first.value == 5U);
    BOOST_TEST((world.kept == std::vector<ClientSequence>{{1}, {5}}));
}

BOOST_AUTO_TEST_CASE(an_ack_covers_all_before_it_and_may_end_inside_a_batch) {
    World world;
    world.begin();
    world.push_many(8);
    world.ack(6);
    BOOST_TEST(world.outcomes.size() == 6U);
    BOOST_TEST((std::get<Durable>(world.outcomes.at(1)) == Durable{{106}, {9}}));
    world.ack(3);  // an older one, late
    BOOST_TEST(world.outcomes.size() == 6U);
    world.ack(8);
    BOOST_TEST(world.outcomes.size() == 8U);
    BOOST_TEST(world.session.unsettled_messages() == 0U);
    BOOST_TEST(world.session.unsettled_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(what_one_ack_covers_is_told_as_one_run) {
    World world;
    world.begin();
    world.push_many(12);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 3U);
    world.ack(9);
    BOOST_TEST(world.outcomes.size() == 9U);
    BOOST_TEST(world.runs <= 2U);  // the batch that the ack cuts may be one of its own
    world.ack(12);
    BOOST_TEST(world.outcomes.size() == 12U);
    BOOST_TEST(world.runs <= 3U);
}

BOOST_AUTO_TEST_CASE(an_ack_of_what_was_never_sent_changes_nothing) {
    World world;
    world.begin();
    world.push("a");
    world.ack(99);
    BOOST_TEST(world.outcomes.empty());
}

BOOST_AUTO_TEST_CASE(the_window_of_messages_says_would_block) {
    World world{3, {}, 4, 5};
    world.begin();
    for (int number = 0; number < 5; ++number) BOOST_TEST(world.session.push(1, "x").has_value());
    const auto refused = world.session.push(1, "x");
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == "would_block");
    world.tick();
    world.ack(4);
    BOOST_TEST(world.session.push(1, "x").has_value());
}

BOOST_AUTO_TEST_CASE(the_window_of_the_node_bounds_what_is_under_way) {
    World world;
    world.tick();
    world.step(Connected{});
    world.welcome(0, {.message_bytes = 1000, .batch_bytes = 2000, .window_bytes = 250});
    world.push_many(16, std::string(20, 'x'));
    const auto sent = world.pushes.size();
    BOOST_TEST(sent >= 1U);
    BOOST_TEST(sent < 4U);
    world.ack(4);
    BOOST_TEST(world.pushes.size() > sent);
}

BOOST_AUTO_TEST_CASE(sizes_are_refused_before_a_number_is_given) {
    World world;
    world.begin();
    const auto refused = world.session.push(1, std::string(limits::ClientLimits{}.message_bytes + 1, 'x'));
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == "too_large");
    world.push("fits");
    BOOST_TEST(world.pushes.back().first.value == 1U);
}

BOOST_AUTO_TEST_CASE(a_message_is_refused_by_the_smaller_limit_of_the_users_and_the_nodes) {
    constexpr std::size_t mib = 1024 * 1024;
    auto wanted = World::options(1, 4, 64);
    wanted.message_bytes = 2 * mib;
    World world{wanted};
    // Before the first welcome the user's own counts alone.
    BOOST_TEST(world.session.push(1, std::string(2 * mib, 'x')).has_value());
    BOOST_TEST(!world.session.push(1, std::string(2 * mib + 1, 'x')).has_value());
    world.tick();
    world.step(Connected{});
    world.welcome(0, {.message_bytes = 3 * mib, .batch_bytes = 4 * mib});
    BOOST_TEST(world.session.push(1, std::string(2 * mib, 'x')).has_value());
    BOOST_TEST(!world.session.push(1, std::string(2 * mib + 1, 'x')).has_value());
    world.step(Disconnected{"gone"});
    world.tick(1s);
    world.step(Connected{});
    world.welcome(0, {.message_bytes = 1000, .batch_bytes = 4 * mib});
    const auto refused = world.session.push(1, std::string(1001, 'x'));
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().text == "a message of 1001 bytes, 1000 are allowed");
}

BOOST_AUTO_TEST_CASE(bye_waits_until_all_is_settled_and_ends) {
    World world;
    world.begin();
    world.push("a");
    world.step(LeaveRequested{});
    BOOST_TEST(world.byes == 0);
    BOOST_TEST(!world.session.push(1, "late").has_value());
    world.ack(1);
    BOOST_TEST(world.byes == 1);
    world.reply(Byed{"tea"});
    BOOST_REQUIRE_EQUAL(world.ended.size(), 1U);
    BOOST_TEST(world.ended[0].empty());
}

BOOST_AUTO_TEST_CASE(a_bye_whose_answer_was_lost_is_seen_in_the_retired_session) {
    World world;
    world.begin();
    world.push("a");
    world.ack(1);
    world.step(LeaveRequested{});
    world.step(Disconnected{"gone"});
    world.step(Connected{});
    world.reject(0, RejectCode::session_retired);
    BOOST_REQUIRE_EQUAL(world.ended.size(), 1U);
    BOOST_TEST(world.ended[0].empty());
}

BOOST_AUTO_TEST_CASE(an_idle_session_needs_no_timer) {
    World world;
    world.begin();
    BOOST_TEST(!world.session.next_wakeup().has_value());
    BOOST_TEST(!world.session.wants_step());
}

BOOST_AUTO_TEST_SUITE_END()

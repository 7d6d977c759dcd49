// What a session does when nodes are silent, gone, busy, or say no.
#include <algorithm>

#include "tests/unit/client/world.hpp"

using namespace anel;
using namespace anel::client;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(session_trouble)

BOOST_AUTO_TEST_CASE(a_node_lost_in_the_middle_of_a_batch_is_followed_by_the_next) {
    World world;
    world.begin();
    world.push_many(8);
    world.forget_sent();
    world.step(Disconnected{"gone"});
    BOOST_TEST((world.opened == std::vector<std::size_t>{0, 1}));
    world.step(Connected{});
    BOOST_TEST((world.hellos.at(0) == HelloRequest{"tea", {7}, {8}, world.birth}));
    world.welcome(6);
    // The last written one alone, for its ack; then what is not written, from the middle of the batch on.
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 2U);
    BOOST_TEST(world.pushes[0].first.value == 6U);
    BOOST_TEST(world.pushes[0].payloads == std::vector<std::string>{"m6"});
    BOOST_TEST(world.pushes[1].first.value == 7U);
    BOOST_TEST((world.pushes[1].payloads == std::vector<std::string>{"m7", "m8"}));
    BOOST_TEST(world.outcomes.empty());  // a welcome is no ack
    world.ack(6);
    BOOST_TEST(world.outcomes.size() == 6U);
    world.ack(8);
    BOOST_TEST(world.outcomes.size() == 8U);
    BOOST_TEST((world.kept == std::vector<ClientSequence>{{1}, {5}}));  // resends are not kept again
}

BOOST_AUTO_TEST_CASE(a_silent_node_is_left_after_the_answer_timeout) {
    World world;
    world.begin();
    world.push("a");
    world.tick(1999ms);
    BOOST_TEST(world.opened.size() == 1U);
    world.tick(1ms);
    BOOST_TEST((world.opened == std::vector<std::size_t>{0, 1}));
}

BOOST_AUTO_TEST_CASE(a_connection_that_does_not_come_is_left_sooner) {
    World world;
    world.tick();
    world.tick(500ms);
    BOOST_TEST((world.opened == std::vector<std::size_t>{0, 1}));
}

BOOST_AUTO_TEST_CASE(when_all_nodes_fail_it_pauses_before_it_tries_again) {
    World world;
    world.tick();
    world.step(Disconnected{"refused"});
    world.step(Disconnected{"refused"});
    BOOST_TEST(world.opened.size() == 3U);
    world.step(Disconnected{"refused"});
    BOOST_TEST(world.opened.size() == 3U);
    BOOST_TEST((world.session.next_wakeup() == world.now + 100ms));
    world.tick(100ms);
    BOOST_TEST((world.opened == std::vector<std::size_t>{0, 1, 2, 0}));
    BOOST_TEST(world.session.trouble() == "refused");
}

BOOST_AUTO_TEST_CASE(no_quorum_and_the_like_send_it_to_the_next_node) {
    for (const auto code :
         {RejectCode::no_quorum, RejectCode::shutting_down, RejectCode::disk_full, RejectCode::too_many_sessions}) {
        World world;
        world.begin();
        world.push("a");
        world.reject(1, code);
        BOOST_TEST(world.opened.size() == 2U);
        world.meet(0);
        BOOST_TEST(world.pushes.back().first.value == 1U);
        world.ack(1);
        BOOST_TEST(is_durable(world, 1));
    }
}

BOOST_AUTO_TEST_CASE(busy_is_waited_for_and_resent_from_there) {
    World world;
    world.begin();
    world.push_many(8);
    world.forget_sent();
    world.busy(5, 30);
    world.ack(4);
    world.tick(29ms);
    BOOST_TEST(world.pushes.empty());
    BOOST_TEST((world.session.next_wakeup() == world.now + 1ms));
    world.tick(1ms);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 1U);
    BOOST_TEST(world.pushes[0].first.value == 5U);
    BOOST_TEST(world.opened.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_node_that_is_busy_for_ever_is_left) {
    World world;
    world.begin();
    world.push("a");
    for (int turn = 0; turn < 20 && world.opened.size() == 1; ++turn) {
        world.busy(1, 1000);
        world.tick(1000ms);
    }
    BOOST_TEST(world.opened.size() == 2U);
}

BOOST_AUTO_TEST_CASE(gap_and_hello_first_are_answered_by_hello) {
    for (const auto code : {RejectCode::gap, RejectCode::hello_first}) {
        World world;
        world.begin();
        world.push_many(8);
        world.forget_sent();
        world.reject(5, code);
        BOOST_REQUIRE_EQUAL(world.hellos.size(), 1U);
        BOOST_TEST(world.hellos[0].sent.value == 8U);
        world.welcome(0);
        BOOST_REQUIRE_EQUAL(world.pushes.size(), 2U);
        BOOST_TEST(world.pushes[0].first.value == 1U);
        BOOST_TEST(world.opened.size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_hello_that_is_refused_with_hello_first_is_said_again_at_once) {
    World world;
    world.tick();
    world.step(Connected{});
    for (std::size_t turn = 2; turn <= 3; ++turn) {
        world.reject(0, RejectCode::hello_first);
        BOOST_TEST(world.hellos.size() == turn);
    }
    BOOST_TEST(world.opened.size() == 1U);
    world.reject(0, RejectCode::hello_first);  // without end: another node
    BOOST_TEST(world.opened.size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_refused_of_a_batch_before_the_hello_is_no_answer_to_the_hello) {
    World world;
    world.begin();
    world.push_many(8);
    world.reject(5, RejectCode::gap);
    world.forget_sent();
    world.reject(7, RejectCode::hello_first);
    BOOST_TEST(world.hellos.empty());
    world.welcome(0);
    BOOST_TEST(!world.pushes.empty());
}

BOOST_AUTO_TEST_CASE(gaps_without_end_lead_to_another_node) {
    World world;
    world.begin();
    world.push("a");
    for (int turn = 0; turn < 5 && world.opened.size() == 1; ++turn) {
        world.reject(1, RejectCode::gap);
        if (world.opened.size() == 1) world.welcome(0);
    }
    BOOST_TEST(world.opened.size() == 2U);
}

BOOST_AUTO_TEST_CASE(conflict_makes_sent_ones_unknown_and_refuses_the_others) {
    World world{3, {}, 4, 64};
    world.begin();
    world.push_many(4);
    world.push("waits");
    world.reject(1, RejectCode::conflict);
    BOOST_TEST(is_unknown(world, 1));
    BOOST_TEST(is_unknown(world, 4));
    BOOST_TEST(is_refused(world, 5));
    BOOST_TEST(world.ended.size() == 1U);
    const auto after = world.session.push(1, "x");
    BOOST_REQUIRE(!after);
    BOOST_TEST(after.error().code == "conflict");
    BOOST_TEST(!world.session.next_wakeup().has_value());
}

BOOST_AUTO_TEST_CASE(a_welcome_beyond_what_was_sent_is_a_conflict) {
    World world;
    world.begin();
    world.push("a");
    world.step(Disconnected{"gone"});
    world.meet(2);
    BOOST_TEST(is_unknown(world, 1));
}

BOOST_AUTO_TEST_CASE(a_welcome_below_what_was_acked_is_not_believed) {
    World world;
    world.begin();
    world.push("a");
    world.ack(1);
    world.step(Disconnected{"gone"});
    world.meet(0);
    BOOST_TEST(world.opened.size() == 3U);
    world.meet(1);
    world.push("b");
    BOOST_TEST(world.pushes.back().first.value == 2U);
}

BOOST_AUTO_TEST_CASE(one_refused_message_does_not_take_the_others_with_it) {
    World world;
    world.begin();
    world.push_many(8);
    world.forget_sent();
    world.reject(6, RejectCode::too_large);  // the second of its batch
    BOOST_TEST(is_refused(world, 6));
    BOOST_TEST(world.replaced == 1);
    // 5 goes again, and 7 has become client sequence 6: no gap.
    std::vector<std::string> resent;
    for (const auto& push : world.pushes) {
        BOOST_TEST(push.first.value == 5 + resent.size());
        resent.insert(resent.end(), push.payloads.begin(), push.payloads.end());
    }
    BOOST_TEST((resent == std::vector<std::string>{"m5", "m7", "m8"}));
    world.ack(7);
    BOOST_TEST(world.outcomes.size() == 8U);
    BOOST_TEST(is_durable(world, 8));
}

BOOST_AUTO_TEST_CASE(a_batch_refused_as_a_whole_is_halved_until_the_bad_one_is_found) {
    World world;
    world.begin();
    world.push_many(4);
    for (int turn = 0; turn < 10 && world.outcomes.empty(); ++turn) {
        // The node refuses whatever batch m3 is in, naming the batch alone; batches behind it it drops.
        for (const auto& push : world.pushes) {
            if (std::find(push.payloads.begin(), push.payloads.end(), "m3") == push.payloads.end()) continue;
            const auto first = push.first.value;
            world.forget_sent();
            world.reject(first, RejectCode::malformed);
            break;
        }
    }
    BOOST_TEST(is_refused(world, 3));
    BOOST_TEST(world.outcomes.size() == 1U);
    world.ack(3);
    BOOST_TEST(is_durable(world, 1));
    BOOST_TEST(is_durable(world, 2));
    BOOST_TEST(is_durable(world, 4));
}

BOOST_AUTO_TEST_CASE(what_a_node_would_cut_the_connection_for_is_not_sent) {
    World world;
    for (const auto& text : {std::string{"a"}, std::string(9000, 'x'), std::string{"b"}})
        BOOST_REQUIRE(world.session.push(1, text));
    world.tick();
    world.step(Connected{});
    world.welcome(0, {.message_bytes = 1000, .batch_bytes = 2000});
    BOOST_TEST(is_refused(world, 2));
    std::vector<std::string> sent;
    for (const auto& push : world.pushes) {
        BOOST_TEST(push.first.value == sent.size() + 1);
        sent.insert(sent.end(), push.payloads.begin(), push.payloads.end());
    }
    BOOST_TEST((sent == std::vector<std::string>{"a", "b"}));
    world.ack(2);
    BOOST_TEST(is_durable(world, 3));
}

BOOST_AUTO_TEST_CASE(what_only_another_node_could_take_goes_on_to_it_under_its_number) {
    World world;
    world.begin();
    world.push(std::string(9000, 'x'));
    world.step(Disconnected{"gone"});
    world.step(Connected{});
    world.welcome(0, {.message_bytes = 1000, .batch_bytes = 2000});
    BOOST_TEST(world.pushes.size() == 1U);
    BOOST_TEST((world.opened == std::vector<std::size_t>{0, 1, 2}));
    BOOST_TEST(world.outcomes.empty());
    world.meet(0);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 2U);
    BOOST_TEST(world.pushes.back().first.value == 1U);
}

BOOST_AUTO_TEST_CASE(a_number_that_another_node_may_have_is_never_given_to_another_message) {
    World world;
    world.begin();
    world.push("a");
    world.step(Disconnected{"gone"});
    world.meet(0);
    world.reject(1, RejectCode::malformed);
    BOOST_TEST(world.outcomes.empty());
    for (int turn = 0; turn < 40 && world.ended.empty(); ++turn) {
        world.tick(1s);
        world.step(Connected{});
        world.welcome(0);
        world.reject(1, RejectCode::malformed);
    }
    BOOST_TEST(is_unknown(world, 1));
}

BOOST_AUTO_TEST_CASE(a_restart_resends_what_the_outbox_kept) {
    KeptOutbox kept{{8}, {4}, {KeptBatch{{5}, {{1, "m5"}, {2, "m6"}}}, KeptBatch{{7}, {{3, "m7"}, {4, "m8"}}}}};
    World world{3, kept};
    BOOST_TEST(world.session.last_ordinal().value == 4U);
    world.tick();
    world.step(Connected{});
    BOOST_TEST((world.hellos.at(0) == HelloRequest{"tea", {7}, {8}}));
    world.push("new");
    world.welcome(4);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 2U);
    BOOST_TEST(world.pushes[0].first.value == 5U);
    world.ack(8);
    BOOST_TEST(is_durable(world, 4));
    BOOST_TEST(world.pushes.back().first.value == 9U);
    BOOST_TEST((world.pushes.back().payloads == std::vector<std::string>{"new"}));
    world.ack(9);
    BOOST_TEST(is_durable(world, 5));
}

BOOST_AUTO_TEST_CASE(a_restart_into_a_retired_session_does_not_know) {
    KeptOutbox kept{{1}, {0}, {KeptBatch{{1}, {{1, "m1"}}}}};
    World world{3, kept};
    world.tick();
    world.step(Connected{});
    world.reject(0, RejectCode::session_retired);
    BOOST_TEST(is_unknown(world, 1));
}

BOOST_AUTO_TEST_CASE(a_retired_session_with_nothing_unacked_begins_anew) {
    World world{1, KeptOutbox{{9}, {9}, {}}};
    world.tick();
    world.step(Connected{});
    world.push_many(6);
    BOOST_TEST(world.hellos.back().sent.value == 9U);
    world.reject(0, RejectCode::session_retired);
    BOOST_TEST(world.ended.empty());
    BOOST_TEST(world.instance == 8U);
    BOOST_TEST(world.session.instance().value == 8U);
    BOOST_TEST(world.hellos.back().instance.value == 8U);
    BOOST_TEST(world.hellos.back().sent.value == 0U);
    world.welcome(0);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 1U);
    BOOST_TEST(world.pushes[0].first.value == 1U);
    world.ack(4);
    BOOST_REQUIRE_EQUAL(world.pushes.size(), 2U);
    BOOST_TEST(world.pushes[1].first.value == 5U);
    BOOST_TEST(world.pushes[1].payloads == (std::vector<std::string>{"m5", "m6"}), boost::test_tools::per_element());
    world.ack(6);
    BOOST_TEST(is_durable(world, 6));
    // Once is enough: who is retired again and again has another trouble.
    world.step(Disconnected{"lost"});
    world.tick(std::chrono::seconds{5});
    world.step(Connected{});
    world.reject(0, RejectCode::session_retired);
    BOOST_TEST(world.ended.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_refused_message_costs_the_outbox_none_of_the_others) {
    World world;
    world.begin();
    world.push_many(12);
    world.forget_sent();
    world.reject(5, RejectCode::gap);  // the next answer is awaited when the refusal comes
    world.reject(2, RejectCode::too_large);
    BOOST_TEST(is_refused(world, 2));
    BOOST_TEST(world.replaced == 1);
    const auto kept = world.session.outbox();
    std::vector<std::string> payloads;
    for (std::uint64_t next = 1; const auto& batch : kept.batches) {
        BOOST_TEST(batch.first.value == next);
        next += batch.messages.size();
        for (const auto& [timestamp, payload] : batch.messages) payloads.push_back(payload);
    }
    BOOST_TEST(
        payloads == (std::vector<std::string>{"m1", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11", "m12"}),
        boost::test_tools::per_element());
    world.welcome(0);
    world.ack(11);
    BOOST_TEST(is_durable(world, 1));
    BOOST_TEST(is_durable(world, 12));
}

BOOST_AUTO_TEST_CASE(giving_up_tells_sent_from_unsent) {
    World world;
    world.begin();
    world.push("sent");
    BOOST_REQUIRE(world.session.push(1, "not sent"));
    Actions actions;
    world.session.abandon("closed", actions);
    std::vector<std::size_t> kinds;
    for (const auto& action : actions) {
        if (const auto* settled = std::get_if<Settled>(&action)) kinds.push_back(settled->outcome.index());
    }
    BOOST_TEST((kinds == std::vector<std::size_t>{2, 1}));
}

BOOST_AUTO_TEST_SUITE_END()

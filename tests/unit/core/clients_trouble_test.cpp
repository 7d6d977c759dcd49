// Schedules in which the client side of a node once did, or could do, the wrong thing.
#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

NodeConfig small() {
    auto config = one_of_three();
    config.client_limits = {.message_bytes = 1000, .batch_bytes = 4000, .window_bytes = 8000};
    return config;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(clients_trouble)

BOOST_AUTO_TEST_CASE(what_follows_a_malformed_batch_is_dropped_without_a_word) {
    Desk desk{small()};
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {std::string(1001, 'x')}));
    desk.arrive("c", push("id", 7, 2, {"y"}));
    desk.arrive("c", push("id", 7, 3, {"z"}));
    const auto rejects = desk.said_of<Reject>();
    BOOST_REQUIRE_EQUAL(rejects.size(), 1U);
    BOOST_TEST((rejects.front().code == RejectCode::too_large));
}

BOOST_AUTO_TEST_CASE(a_push_and_a_bye_in_one_bid_are_acked_both) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"x"}));
    desk.arrive("c", bye("id", 7));
    desk.run();
    bool acked = false;
    bool byed = false;
    for (const auto& reply : desk.said()) {
        acked |= std::holds_alternative<Ack>(reply.reply);
        byed |= std::holds_alternative<Byed>(reply.reply);
        BOOST_TEST(!std::holds_alternative<Reject>(reply.reply));
    }
    BOOST_TEST(desk.context.tip.sequence.value == 1U);  // it is in the file, so no answer may say that it is not
    BOOST_TEST(acked);
    BOOST_TEST(byed);
}

BOOST_AUTO_TEST_CASE(after_no_quorum_a_batch_that_was_decided_after_all_is_not_in_the_way_of_the_next) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"x", "y", "z"}));
    auto bid = desk.clients.make_bid(1'000'000, true);
    BOOST_REQUIRE(bid);
    desk.clients.refuse_all(RejectCode::no_quorum, "no majority");
    static_cast<void>(desk.said());
    desk.clients.accept_all();
    desk.decide({*bid});  // the others decided it; this node learns of it from the ledger
    desk.view_change();
    desk.durable();
    BOOST_TEST(desk.only<Ack>().last.value == 3U);
    desk.arrive("c", push("id", 7, 4, {"next"}));
    desk.run();
    BOOST_TEST(desk.said_of<Ack>().size() == 1U, "the next batch is taken and acked");
    BOOST_TEST(desk.context.sessions.find("id")->last.value == 4U);
}

BOOST_AUTO_TEST_CASE(a_client_that_comes_back_while_its_old_batch_waits_goes_on_where_the_welcome_says) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"a"}));
    // Through another node the client wrote on.
    desk.decide({bid_of(1, {{1, push("id", 7, 1, {"a", "b", "c"})}})});
    desk.durable();
    static_cast<void>(desk.said());
    desk.arrive("c", hello("id", 7, 3));
    desk.words();
    BOOST_TEST(desk.only<Welcome>().last.value == 3U);
    desk.arrive("c", push("id", 7, 4, {"d"}));
    for (const auto& reply : desk.said()) BOOST_TEST(!std::holds_alternative<Reject>(reply.reply));
    desk.run();
    BOOST_TEST(desk.context.sessions.find("id")->last.value == 4U);
}

BOOST_AUTO_TEST_CASE(an_instance_born_again_while_a_batch_of_its_first_life_is_in_a_bid_can_go_on) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"a", "b"}));
    auto bid = desk.clients.make_bid(1'000'000, true);
    BOOST_REQUIRE(bid);
    desk.decide({bid_of(1, {{desk.birth("id"), hello("id", 8)}})});
    desk.decide({bid_of(1, {{desk.birth("id"), hello("id", 7)}})});
    desk.arrive("d", hello("id", 7));
    desk.durable();
    desk.words();
    BOOST_TEST(desk.only<Welcome>().last.value == 0U);
    desk.arrive("d", push("id", 7, 1, {"second life"}));
    desk.decide({*bid});
    desk.clients.settled(false);
    desk.run();
    const auto acks = desk.said_of<Ack>();
    BOOST_REQUIRE_EQUAL(acks.size(), 1U);
    BOOST_TEST(desk.output.find("second life") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stale_reject_does_not_come_for_a_batch_that_another_node_wrote) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"a"}));
    desk.round({bid_of(1, {{1, push("id", 7, 1, {"a"})}})});
    desk.durable();
    BOOST_TEST(desk.only<Ack>().last.value == 1U);
    BOOST_TEST(desk.context.tip.sequence.value == 1U);
}

// The writer froze behind its decide and before its sync; all windows were full, so nobody missed the token.
BOOST_AUTO_TEST_CASE(answers_that_wait_a_token_time_out_for_a_round_to_be_durable_make_this_node_sync) {
    Desk desk{small()};
    desk.greet("c", "id", 7);
    BOOST_TEST(!desk.clients.wants_sync());
    desk.arrive("c", push("id", 7, 1, {"written by a node that is frozen now"}));
    desk.round();
    const auto timeout = desk.context.config.timing.token_timeout;
    desk.tick(timeout - Duration{1});
    desk.words();
    BOOST_TEST(!desk.clients.wants_sync());
    desk.tick(Duration{1});
    BOOST_TEST(desk.clients.wants_sync());
    BOOST_TEST(desk.silent());  // to want is not to have
    desk.durable();
    BOOST_TEST(desk.only<Ack>().last.value == 1U);
    BOOST_TEST(!desk.clients.wants_sync());
}

BOOST_AUTO_TEST_CASE(while_rounds_become_durable_nobody_syncs_for_the_writer) {
    Desk desk{small()};
    desk.greet("c", "id", 7);
    for (std::uint64_t sequence = 1; sequence <= 8; ++sequence) {
        desk.arrive("c", push("id", 7, sequence, {"x"}));
        desk.round();
        desk.tick(desk.context.config.timing.token_timeout / 2);
        // The one before; the last one always waits.
        desk.context.durable = Round{desk.context.tip.round.value - 1};
        desk.clients.durable_raised();
        desk.words();
        BOOST_TEST(!desk.clients.wants_sync());
    }
}

// The hello of one whose session is decided and not durable.
BOOST_AUTO_TEST_CASE(a_welcome_that_waits_a_token_time_out_makes_this_node_sync) {
    Desk desk{small()};
    desk.decide({bid_of(1, {{0, hello("id", 7)}})});
    desk.arrive("c", hello("id", 7));
    desk.words();
    desk.tick(desk.context.config.timing.token_timeout);
    BOOST_TEST(desk.clients.wants_sync());
    desk.words();
    BOOST_TEST(desk.silent());
    desk.durable();
    desk.words();
    static_cast<void>(desk.only<Welcome>());
    BOOST_TEST(!desk.clients.wants_sync());
}

BOOST_AUTO_TEST_SUITE_END()

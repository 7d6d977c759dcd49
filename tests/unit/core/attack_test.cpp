// Schedules that broke the clients' side of a node when it was attacked afresh.
#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

void say(Desk& desk, const std::string& from, const std::string& text) { desk.arrive(from, Blob::copy(text)); }

std::string answers(Desk& desk) {
    std::string all;
    for (const auto& reply : desk.said()) {
        all += reply.connection.routing_id + " " + std::string{as_text(encode(reply.reply))}.substr(0, 3) + ";";
    }
    return all;
}

NodeConfig small_node() {
    auto config = one_of_three();
    config.pending_bytes = 300;
    return config;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attack)

BOOST_AUTO_TEST_CASE(after_busy_and_no_quorum_the_node_takes_texts_again) {
    Desk desk{small_node()};
    say(desk, "a", "one");
    desk.run();
    BOOST_TEST(answers(desk) == "a OK ;");
    say(desk, "b", std::string(150, 'b'));
    say(desk, "c", std::string(150, 'c'));
    BOOST_TEST(answers(desk) == "c ERR;");
    desk.clients.refuse_all(RejectCode::no_quorum, "no majority");
    BOOST_TEST(answers(desk) == "b ERR;");
    desk.clients.accept_all();
    desk.view_change();
    desk.run();
    for (const auto* name : {"d", "e", "f"}) {
        say(desk, name, std::string{"text "} + name);
        desk.run();
        BOOST_TEST(answers(desk) == std::string{name} + " OK ;");
    }
}

BOOST_AUTO_TEST_CASE(after_busy_and_a_full_disk_the_node_takes_texts_again) {
    Desk desk{small_node()};
    say(desk, "a", "one");
    desk.run();
    BOOST_TEST(answers(desk) == "a OK ;");
    say(desk, "b", std::string(150, 'b'));
    BOOST_REQUIRE(desk.clients.make_bid(1'000'000, true));
    say(desk, "c", std::string(150, 'c'));
    desk.clients.settled(true);
    BOOST_TEST(answers(desk) == "c ERR;b ERR;");
    for (const auto* name : {"d", "e", "f"}) {
        say(desk, name, std::string{"text "} + name);
        desk.run();
        BOOST_TEST(answers(desk) == std::string{name} + " OK ;");
    }
}

BOOST_AUTO_TEST_CASE(a_batch_that_no_quorum_took_away_behind_a_refusal_can_be_sent_again) {
    auto config = one_of_three();
    config.client_limits = {.message_bytes = 1000, .batch_bytes = 4000, .window_bytes = 8000};
    Desk desk{config};
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"A"}));
    desk.arrive("c", push("id", 7, 2, {std::string(1001, 'x')}));
    static_cast<void>(desk.said());
    desk.clients.refuse_all(RejectCode::no_quorum, "no majority");
    const auto refused = desk.only<Reject>();
    BOOST_TEST((refused.code == RejectCode::no_quorum));
    BOOST_TEST(refused.sequence.value == 1U);
    desk.clients.accept_all();
    desk.view_change();
    desk.run();
    desk.arrive("c2", hello("id", 7, 1));
    desk.run();
    static_cast<void>(desk.said());
    desk.arrive("c2", push("id", 7, 1, {"A"}));
    desk.run();
    BOOST_TEST(desk.only<Ack>().last.value == 1U);
}

BOOST_AUTO_TEST_CASE(a_hello_that_slept_takes_no_session_from_a_newer_instance) {
    Desk desk;
    desk.arrive("old", hello("id", 7));
    desk.words();  // proposed; it waits in the queue of this node, which freezes
    desk.decide({bid_of(1, {{0, hello("id", 7)}})});
    desk.decide({bid_of(1, {{1, push("id", 7, 1, {"x"})}})});
    desk.decide({bid_of(1, {{1, hello("id", 8)}})});  // judged by the first life, and so it takes over
    BOOST_REQUIRE(desk.context.sessions.find("id")->instance.value == 8U);
    desk.view_change();
    desk.run();
    BOOST_TEST(desk.context.sessions.find("id")->instance.value == 8U);
    const auto rejects = desk.said_of<Reject>();
    BOOST_REQUIRE_EQUAL(rejects.size(), 1U);
    BOOST_TEST((rejects.front().code == RejectCode::conflict));
}

BOOST_AUTO_TEST_SUITE_END()

// How long a whole ring waits: for a token that is late, for a node that is dead, for a writer that is frozen.
#include "tests/unit/core/ring_checks.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(ring)

BOOST_AUTO_TEST_CASE(a_ring_in_which_everybody_lives_and_the_token_is_late_waits_longer_and_later_less_again) {
    SmallRing ring{3};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "one");
    const auto timeout = ring.hosts[{0}].config.timing.token_timeout;
    BOOST_TEST((ring.status(0).overdue_after == timeout));
    const auto before = ring.status(0).view->epoch.value;
    ring.tokens_lost = true;
    ring.say(1, "one", push("one1", 7, 2, {"late"}));
    ring.run(20s);
    const auto epochs = ring.status(0).view->epoch.value - before;
    BOOST_TEST(epochs >= 5U);
    BOOST_TEST(epochs <= 15U);  // of time-outs that do not grow there are 50
    BOOST_TEST((ring.status(0).overdue_after == Patience::times_max * timeout));
    ring.tokens_lost = false;
    ring.run(5s);
    check_one_ring(ring, 3);
    BOOST_TEST(times(ring, "late") == 1U);
    ring.run(timeout * Patience::forgotten_after * 3);
    ring.say(0, "one", push("one0", 7, 2, {"much later"}));
    BOOST_TEST((ring.status(0).overdue_after == timeout));
}

BOOST_AUTO_TEST_CASE(a_dead_node_costs_the_others_no_patience) {
    SmallRing ring{3};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "one");
    ring.cut = {{2}};
    ring.say(1, "one", push("one1", 7, 2, {"without it"}));
    ring.run(3s);
    BOOST_TEST(times(ring, "without it") == 1U);
    BOOST_TEST((ring.status(0).overdue_after == ring.hosts[{0}].config.timing.token_timeout));
}

// The writer told its round and its sync never ends, because it is frozen since or its disk is. Nobody has work, so
// nobody misses the token.
BOOST_AUTO_TEST_CASE(an_ack_comes_though_the_sync_of_the_writer_never_ends) {
    SmallRing ring{3};
    ring.boot_all();
    ring.run(2s);
    const auto epoch = ring.status(0).view->epoch;
    const std::uint64_t member = 1;
    ring.say(member, "c", hello("id", 7));
    ring.run(500ms);
    BOOST_REQUIRE_EQUAL(ring.told<Welcome>(member, "c").size(), 1U);
    ring.say(2, "other", hello("other", 7));  // takes the token with it
    ring.run(500ms);
    BOOST_REQUIRE(!ring.status(member).parked);
    ring.decided = [&](NodeId writer) { ring.stuck.insert(writer); };
    ring.say(member, "c", push("id", 7, 1, {"x"}));
    ring.run(290ms);
    BOOST_TEST(times(ring, "x") == 1U);
    BOOST_TEST(!ring.stuck.contains({member}));
    BOOST_TEST(ring.told<Ack>(member, "c").empty());
    ring.run(210ms);
    BOOST_TEST(ring.told<Ack>(member, "c").size() == 1U);
    BOOST_TEST((ring.status(member).view->epoch == epoch));
}

// The same with a writer that is frozen: who waits for its sync misses the token too, and not only when a client has more.
BOOST_AUTO_TEST_CASE(who_waits_for_the_sync_of_a_frozen_writer_misses_the_token) {
    SmallRing ring{5};
    ring.boot_all();
    ring.run(2s);
    ring.say(1, "c", hello("id", 7));
    ring.run(500ms);
    BOOST_REQUIRE_EQUAL(ring.told<Welcome>(1, "c").size(), 1U);
    ring.say(2, "other", hello("other", 7));  // takes the token with it
    ring.run(500ms);
    BOOST_REQUIRE(ring.status(2).parked);
    ring.stuck.insert({2});
    ring.say(1, "c", push("id", 7, 1, {"x"}));
    ring.run(10ms);
    BOOST_TEST(times(ring, "x") == 1U);
    ring.cut.insert({2});
    ring.run(450ms);
    BOOST_TEST(ring.told<Ack>(1, "c").size() == 1U);
    BOOST_REQUIRE(ring.status(1).view);
    BOOST_TEST(ring.status(1).view->members.size() == 4U);
    BOOST_TEST((ring.status(1).phase == Phase::operational));
}

BOOST_AUTO_TEST_SUITE_END()

// A whole ring that finds no space: for a round, or for an epoch.
#include "tests/unit/core/ring_checks.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(ring)

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_and_the_ring_goes_on_when_there_is_space) {
    SmallRing ring{3};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "before");
    ring.ledger.disk_full = true;
    ring.say(1, "before", push("before1", 7, 2, {"no space"}));
    ring.run(500ms);
    BOOST_REQUIRE_EQUAL(ring.told<Reject>(1, "before").size(), 1U);
    BOOST_TEST((ring.told<Reject>(1, "before").front().code == RejectCode::disk_full));
    ring.ledger.disk_full = false;
    ring.say(1, "before", push("before1", 7, 2, {"space"}));
    ring.run(500ms);
    BOOST_TEST(ring.told<Ack>(1, "before").back().last.value == 2U);
    BOOST_TEST(times(ring, "no space") == 0U);
    BOOST_TEST(ring.status(0).view->epoch.value == 1U);
}

// The lowest calls first each time, is answered, and finds no space.
BOOST_AUTO_TEST_CASE(who_finds_no_space_for_an_epoch_lets_all_others_try_first) {
    for (const std::size_t count : {3U, 5U, 33U}) {
        SmallRing ring{count};
        ring.boot_all();
        ring.run(2s);
        for (std::uint64_t node = 0; node < count / 2; ++node) ring.without_room.insert({node});
        ring.kill(count - 1);
        ring.boot(count - 1);
        ring.run(10s);
        BOOST_REQUIRE_EQUAL(ring.running(), count);
        BOOST_TEST(ring.status(0).view->coordinator.value == count / 2);
    }
}

BOOST_AUTO_TEST_CASE(where_no_epoch_can_be_granted_for_want_of_space_every_node_says_so) {
    SmallRing ring{3};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "before");
    ring.ledger.disk_full = true;
    ring.kill(0);
    ring.run(5s);
    const auto refusal_of = [&](std::uint64_t node, const std::string& client) {
        ring.say(node, client, hello(client + std::to_string(node), 7));
        ring.run(100ms);
        BOOST_REQUIRE_EQUAL(ring.told<Reject>(node, client).size(), 1U);
        return ring.told<Reject>(node, client).front().code;
    };
    BOOST_TEST((refusal_of(1, "full") == RejectCode::disk_full));
    BOOST_TEST((refusal_of(2, "full") == RejectCode::disk_full));
    ring.kill(2);
    ring.run(5s);
    BOOST_TEST((refusal_of(1, "alone") == RejectCode::no_quorum));
    ring.boot(2);
    ring.run(5s);
    BOOST_TEST((refusal_of(2, "again") == RejectCode::disk_full));
    ring.ledger.disk_full = false;
    ring.run(5s);
    BOOST_TEST(ring.running() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

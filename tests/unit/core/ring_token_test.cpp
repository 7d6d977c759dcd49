// Where the token of a whole ring goes and rests, and what it gathers on a lap.
#include "tests/unit/core/ring_checks.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(ring)

BOOST_AUTO_TEST_CASE(under_a_token_that_is_always_full_every_node_gets_its_turn) {
    NodeConfig config;
    config.token_bytes = 3000;
    config.bid_bytes = 2000;
    SmallRing ring{3, config};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "warm");
    std::map<std::uint64_t, std::uint64_t> next;
    for (std::uint64_t id = 0; id < 3; ++id) next[id] = 2;
    // Every node always has more waiting than fits on the token.
    for (int turn = 0; turn < 300; ++turn) {
        for (std::uint64_t id = 0; id < 3; ++id) {
            while (ring.status(id).pending_messages < 4) {
                ring.say(id, "warm", push("warm" + std::to_string(id), 7, next[id]++, {std::string(1800, 'x')}));
            }
        }
        if (ring.mail.empty()) ring.run(1ms);
        for (int letters = 0; letters < 5 && !ring.mail.empty(); ++letters) {
            const auto letter = ring.mail.front();
            ring.mail.pop_front();
            ring.step(letter.to, letter.input);
        }
    }
    for (std::uint64_t id = 0; id < 3; ++id) {
        const auto acks = ring.told<Ack>(id, "warm");
        BOOST_TEST(acks.back().last.value > 5U, "node " << id << " got to " << acks.back().last.value);
    }
}

BOOST_AUTO_TEST_CASE(with_linger_one_lap_gathers_what_several_nodes_have_and_all_are_acked) {
    NodeConfig config;
    config.linger = 20ms;
    SmallRing ring{3, config};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "hi");
    check_one_ring(ring, 3);
    BOOST_TEST(ring.status(0).view->epoch.value == 1U);
}

// Who alone has work, again and again, has the token soon: then its messages need no wake and no notice. Two who take
// turns do not pull it to and fro.
BOOST_AUTO_TEST_CASE(the_token_comes_to_rest_where_the_work_is) {
    SmallRing ring{5};
    ring.boot_all();
    ring.run(2s);
    std::uint64_t number = 0;
    const auto welcome = [&](std::uint64_t node) {
        const auto client = "c" + std::to_string(node);
        ring.say(node, client, hello(client, 7));
        ring.run(500ms);
        BOOST_REQUIRE_EQUAL(ring.told<Welcome>(node, client).size(), 1U);
    };
    std::map<std::uint64_t, std::uint64_t> sent;
    const auto push_at = [&](std::uint64_t node) {
        const auto client = "c" + std::to_string(node);
        ring.say(node, client, push(client, 7, ++sent[node], {"message " + std::to_string(++number)}));
        ring.run(40ms);
        BOOST_REQUIRE_EQUAL(ring.told<Ack>(node, client).size(), sent[node]);
    };
    welcome(3);
    welcome(1);
    for (int turn = 0; turn < 10; ++turn) {
        push_at(3);
        BOOST_TEST(ring.status(1).parked);
        push_at(1);
        BOOST_TEST(ring.status(1).parked);
    }
    for (int turn = 0; turn < 3; ++turn) push_at(3);
    BOOST_TEST(ring.status(3).parked);
    const auto hops = ring.hops;
    for (int turn = 0; turn < 10; ++turn) push_at(3);
    BOOST_TEST(ring.hops <= hops + 10 * 5 + 3);  // one lap each, which tells the result; three hops were sent again
    BOOST_TEST(ring.status(3).parked);
    for (int turn = 0; turn < 3; ++turn) push_at(1);
    BOOST_TEST(ring.status(1).parked);
}

BOOST_AUTO_TEST_CASE(an_idle_ring_is_silent_for_an_hour) {
    SmallRing ring{3};
    ring.boot_all();
    ring.run(2s);
    const auto hops = ring.hops;
    ring.run(std::chrono::hours{1});
    BOOST_TEST(ring.hops == hops);
    check_service(ring, "after");
    BOOST_TEST(ring.status(0).view->epoch.value == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

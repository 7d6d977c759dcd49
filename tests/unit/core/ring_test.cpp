// Whole nodes: a ring forms, carries messages, survives a restart, a departure, two candidates and a lost majority.
#include <boost/test/data/test_case.hpp>

#include "tests/unit/core/ring_checks.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(ring)

BOOST_DATA_TEST_CASE(a_ring_forms_from_cold_carries_messages_and_parks, data::make({1, 2, 3, 5, 64}), count) {
    SmallRing ring{static_cast<std::size_t>(count)};
    ring.boot_all();
    ring.run(2s);
    check_one_ring(ring, static_cast<std::size_t>(count));
    BOOST_TEST(ring.status(0).view->epoch.value == 1U);
    check_service(ring, "hi");
    check_one_ring(ring, static_cast<std::size_t>(count));
    BOOST_TEST(ring.status(0).view->epoch.value == 1U);  // and all of it in one epoch
    // Idle: the token is parked at one node and nobody wants to be woken.
    std::size_t parked = 0;
    for (const auto& [id, host] : ring.hosts) parked += host.node->status().parked;
    BOOST_TEST(parked == 1U);
    BOOST_TEST(!ring.next_wakeup().has_value());
}

BOOST_AUTO_TEST_CASE(nodes_that_start_one_after_another_end_in_one_ring) {
    SmallRing ring{5};
    for (const std::uint64_t id : {3, 1, 4, 0, 2}) {
        ring.boot(id);
        ring.run(400ms);
    }
    ring.run(3s);
    check_one_ring(ring, 5);
    check_service(ring, "hi");
}

BOOST_AUTO_TEST_CASE(a_killed_node_is_replaced_and_nothing_is_lost_or_doubled) {
    for (std::uint64_t victim = 0; victim < 3; ++victim) {
        SmallRing ring{3};
        ring.boot_all();
        ring.run(2s);
        check_service(ring, "before");
        ring.kill(victim);
        ring.run(500ms);
        check_one_ring(ring, 2);
        check_service(ring, "without");
        ring.boot(victim);
        ring.run(2s);
        check_one_ring(ring, 3);
        check_service(ring, "after");
        for (const auto* prefix : {"before", "without", "after"}) {
            for (const auto* id : {"0", "1", "2"}) BOOST_TEST(times(ring, std::string{prefix} + " of " + id) <= 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_killed_node_costs_no_more_than_100_ms_of_ring) {
    for (std::uint64_t victim = 0; victim < 3; ++victim) {
        SmallRing ring{3};
        ring.boot_all();
        ring.run(2s);
        ring.kill(victim);
        ring.run(100ms);
        check_one_ring(ring, 2);
    }
}

BOOST_AUTO_TEST_CASE(a_node_that_leaves_stops_and_the_others_go_on) {
    for (std::uint64_t leaver = 0; leaver < 3; ++leaver) {
        SmallRing ring{3};
        ring.boot_all();
        ring.run(2s);
        const std::string name = "c";
        ring.say(leaver, name, hello("id", 7));
        ring.run(200ms);
        ring.say(leaver, name, push("id", 7, 1, {"last words"}));
        ring.step({leaver}, LeaveAsked{});
        ring.say(leaver, name, push("id", 7, 2, {"too late"}));
        ring.run(200ms);
        BOOST_TEST(ring.hosts[{leaver}].stopped);
        BOOST_TEST(ring.told<Ack>(leaver, name).size() == 1U);
        BOOST_REQUIRE_EQUAL(ring.told<Reject>(leaver, name).size(), 1U);
        BOOST_TEST((ring.told<Reject>(leaver, name).front().code == RejectCode::shutting_down));
        BOOST_TEST(times(ring, "last words") == 1U);
        BOOST_TEST(times(ring, "too late") == 0U);
        ring.kill(leaver);
        ring.run(500ms);
        check_one_ring(ring, 2);
        check_service(ring, "after");
    }
}

BOOST_AUTO_TEST_CASE(two_candidates_at_once_end_in_one_ring) {
    const auto stagger = NodeConfig{}.timing.call_stagger;
    for (const auto& [low, high] : {std::pair{0, 1}, {0, 2}, {1, 2}, {2, 4}}) {
        SmallRing ring{5};
        // The k-th calls k staggers after its start: so all of these call in the same moment.
        for (int id = 4; id >= 0; --id) {
            if (id == low || id == high) continue;
            ring.boot(static_cast<std::uint64_t>(id));
        }
        ring.boot(static_cast<std::uint64_t>(high));
        ring.mail.clear();
        ring.now += stagger * (high - low);
        ring.boot(static_cast<std::uint64_t>(low));
        ring.run(3s);
        check_one_ring(ring, 5);
        check_service(ring, "hi");
    }
}

BOOST_AUTO_TEST_CASE(without_a_majority_clients_are_told_no_quorum_until_it_is_back) {
    SmallRing ring{3};
    ring.boot(1);
    ring.say(1, "c", hello("id", 7));
    ring.say(1, "t", Blob::copy("text"));
    ring.run(5s);
    BOOST_TEST(ring.running() == 0U);
    BOOST_TEST(ring.ledger.segments.empty());
    BOOST_REQUIRE_EQUAL(ring.told<Reject>(1, "c").size(), 1U);
    BOOST_TEST((ring.told<Reject>(1, "c").front().code == RejectCode::no_quorum));
    BOOST_REQUIRE_EQUAL(ring.told<TextError>(1, "t").size(), 1U);
    BOOST_TEST((ring.told<TextError>(1, "t").front().code == RejectCode::no_quorum));
    ring.boot(2);
    ring.run(2s);
    check_one_ring(ring, 2);
    check_service(ring, "hi");
}

BOOST_AUTO_TEST_CASE(a_node_that_is_cut_off_comes_back_and_no_text_is_answered_falsely) {
    for (std::uint64_t lonely = 0; lonely < 3; ++lonely) {
        SmallRing ring{3};
        ring.boot_all();
        ring.run(2s);
        ring.say(lonely, "warm", Blob::copy("warm"));
        ring.run(300ms);
        BOOST_TEST(ring.told<TextOk>(lonely, "warm").size() == 1U);
        ring.say(lonely, "old", Blob::copy("old"));
        ring.cut = {{lonely}};
        ring.run(3s);
        BOOST_TEST(ring.running() == 2U);
        BOOST_TEST(ring.told<TextError>(lonely, "old").size() + ring.told<TextOk>(lonely, "old").size() == 1U);
        ring.cut.clear();
        ring.run(3s);
        check_one_ring(ring, 3);
        ring.say(lonely, "new", Blob::copy("new"));
        ring.run(1s);
        BOOST_TEST(ring.told<TextOk>(lonely, "new").size() == 1U);
        BOOST_TEST(times(ring, "new") == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_node_that_slept_finds_its_way_back) {
    for (std::uint64_t sleeper = 0; sleeper < 3; ++sleeper) {
        SmallRing ring{3};
        ring.boot_all();
        ring.run(2s);
        // Asleep: nothing is read, nothing is done, the connections stand.
        auto node = std::move(ring.hosts[{sleeper}].node);
        ring.hosts[{sleeper}].node.reset();
        const auto awake = (sleeper + 1) % 3;
        ring.say(awake, "c", hello("meanwhile", 7));
        ring.run(2s);
        BOOST_TEST(ring.running() == 2U);
        BOOST_TEST(ring.told<Welcome>(awake, "c").size() == 1U);
        ring.hosts[{sleeper}].node = std::move(node);
        ring.step({sleeper}, Ticked{});
        ring.say(sleeper, "c", hello("sleeper", 7));
        ring.run(3s);
        check_one_ring(ring, 3);
        BOOST_TEST(ring.told<Welcome>(sleeper, "c").size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_coordinator_whose_members_never_get_ready_is_not_woken_without_end) {
    SmallRing ring{3};
    ring.boot_all();
    ring.run(2s);
    ring.kill(2);
    // The others agree on a view, then the network goes: SmallRing::run checks that nobody is woken in vain.
    for (int turn = 0; turn < 200; ++turn) {
        ring.run(1ms);
        if (ring.status(0).phase == Phase::entering || ring.status(1).phase == Phase::entering) break;
    }
    ring.cut = {{0}, {1}};
    ring.run(5s);
    ring.cut.clear();
    ring.run(3s);
    check_one_ring(ring, 2);
}

BOOST_AUTO_TEST_CASE(a_view_whose_links_do_not_stand_is_given_up_without_being_woken_in_vain) {
    SmallRing ring{3};
    ring.boot(0);
    ring.boot(1);
    while (ring.status(0).phase != Phase::entering && ring.status(1).phase != Phase::entering) {
        BOOST_REQUIRE(ring.next_wakeup().has_value() || !ring.mail.empty());
        if (ring.mail.empty()) {
            ring.now = *ring.next_wakeup();
            ring.step({0}, Ticked{});
            ring.step({1}, Ticked{});
        } else {
            const auto next = ring.mail.front();
            ring.mail.pop_front();
            ring.step(next.to, next.input);
        }
    }
    ring.cut = {{0}, {1}};
    ring.run(3s);
    ring.cut.clear();
    ring.run(3s);
    check_one_ring(ring, 2);
}

BOOST_AUTO_TEST_SUITE_END()

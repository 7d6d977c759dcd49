// What a whole ring begins anew within an epoch: segments of the journal, files of the output, checkpoints.
#include "tests/unit/core/ring_checks.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(ring)

BOOST_AUTO_TEST_CASE(the_journal_goes_on_in_new_segments_within_an_epoch) {
    for (const std::size_t count : {1U, 3U}) {
        NodeConfig config;
        config.segment_bytes = 2000;
        SmallRing ring{count, config};
        ring.boot_all();
        ring.run(2s);
        check_service(ring, "before");
        for (std::uint64_t sequence = 2; sequence < 40; ++sequence) {
            ring.say(0, "before", push("before0", 7, sequence, {std::string(300, 'x')}));
            ring.run(20ms);
        }
        BOOST_TEST(ring.told<Ack>(0, "before").back().last.value == 39U);
        BOOST_TEST(ring.ledger.segments.size() > 4U);
        BOOST_TEST(ring.ledger.segments.back().epoch.value == 1U);
        check_one_ring(ring, count);
        check_service(ring, "after");
    }
}

BOOST_AUTO_TEST_CASE(the_output_goes_on_in_new_files_within_an_epoch) {
    for (const std::size_t count : {1U, 3U}) {
        SmallRing ring{count};
        ring.boot_all();
        ring.run(2s);
        check_service(ring, "before");
        ring.ledger.rounds_in_file = 5;
        for (std::uint64_t sequence = 2; sequence < 40; ++sequence) {
            ring.say(0, "before", push("before0", 7, sequence, {"text"}));
            ring.run(20ms);
        }
        BOOST_TEST(ring.told<Ack>(0, "before").back().last.value == 39U);
        BOOST_TEST(ring.ledger.files.size() > 5U);
        BOOST_TEST(ring.ledger.segments.back().epoch.value == 1U);
        for (std::size_t file = 2; file < ring.ledger.files.size(); ++file) {
            BOOST_TEST(ring.ledger.files[file] - ring.ledger.files[file - 1] == 5U);
        }
        // No room for the new file: refused like a round without room, and decided when there is some.
        ring.ledger.rounds_in_file = 1;
        ring.ledger.disk_full = true;
        ring.say(0, "before", push("before0", 7, 40, {"text"}));
        ring.run(200ms);
        BOOST_TEST(ring.told<Ack>(0, "before").back().last.value == 39U);
        ring.ledger.disk_full = false;
        ring.say(0, "before", push("before0", 7, 40, {"text"}));
        ring.run(200ms);
        BOOST_TEST(ring.told<Ack>(0, "before").back().last.value == 40U);
        check_one_ring(ring, count);
        check_service(ring, "after");
    }
}

BOOST_AUTO_TEST_CASE(all_follow_into_a_new_segment_in_which_nothing_could_be_decided) {
    NodeConfig config;
    config.segment_bytes = 2000;
    config.bid_bytes = 1;  // one frame a bid
    SmallRing ring{3, config};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "one");
    check_service(ring, "two");
    ring.say(0, "one", push("one0", 7, 2, {std::string(2000, 'x')}));
    ring.run(100ms);
    std::uint64_t holder = 0;
    while (!ring.status(holder).holder) ++holder;
    const auto other = (holder + 1) % 3;
    const auto name = std::to_string(other);
    const auto segments = ring.ledger.segments.size();
    const auto sequence = other == 0 ? 3U : 2U;
    // The holder makes a new segment for the first frame, and finds no space. The second one is closed by its own node.
    ring.ledger.disk_full = ring.ledger.room_for_segments = true;
    for (const int attempt : {1, 2}) {
        ring.say(other, "one", push("one" + name, 7, sequence, {"no space"}));
        ring.say(other, "two", push("two" + name, 7, 2, {"no space"}));
        ring.run(100ms);
        for (const auto* client : {"one", "two"}) {
            BOOST_REQUIRE_EQUAL(ring.told<Reject>(other, client).size(), static_cast<std::size_t>(attempt));
            BOOST_TEST((ring.told<Reject>(other, client).back().code == RejectCode::disk_full));
        }
    }
    BOOST_TEST(ring.ledger.segments.size() == segments + 1);
    ring.ledger.disk_full = false;
    ring.say(other, "two", push("two" + name, 7, 2, {"space"}));
    ring.run(100ms);
    BOOST_TEST(ring.told<Ack>(other, "two").back().last.value == 2U);
    BOOST_TEST(ring.ledger.segments.size() == segments + 1);
    check_one_ring(ring, 3);
    BOOST_TEST(ring.status(0).view->epoch.value == 1U);
}

BOOST_AUTO_TEST_CASE(no_room_for_a_new_segment_refuses_the_round_and_the_epoch_goes_on) {
    NodeConfig config;
    config.segment_bytes = 2000;
    SmallRing ring{3, config};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "before");
    ring.say(0, "before", push("before0", 7, 2, {std::string(2000, 'x')}));
    ring.run(100ms);
    ring.ledger.disk_full = true;
    for (const std::uint64_t node : {0U, 1U, 2U}) {
        const auto name = "before" + std::to_string(node);
        ring.say(node, "before", push(name, 7, node == 0 ? 3 : 2, {"no space"}));
        ring.run(100ms);
        BOOST_REQUIRE_EQUAL(ring.told<Reject>(node, "before").size(), 1U);
        BOOST_TEST((ring.told<Reject>(node, "before").back().code == RejectCode::disk_full));
    }
    const auto segments = ring.ledger.segments.size();
    ring.ledger.disk_full = false;
    ring.say(1, "before", push("before1", 7, 2, {"space"}));
    ring.run(100ms);
    BOOST_TEST(ring.told<Ack>(1, "before").back().last.value == 2U);
    BOOST_TEST(ring.ledger.segments.size() == segments + 1);
    BOOST_TEST(ring.status(0).view->epoch.value == 1U);
}

BOOST_AUTO_TEST_CASE(nodes_that_write_in_turn_make_one_checkpoint_when_it_is_time_and_not_one_each) {
    NodeConfig config;
    config.checkpoint_rounds = 10;
    SmallRing ring{5, config};
    ring.boot_all();
    ring.run(2s);
    check_service(ring, "one");
    const auto made = ring.checkpoints;
    const auto before = ring.ledger.rounds.size();
    for (std::uint64_t number = 2; number <= 42; ++number) {
        const auto id = number % 5;
        ring.say(id, "one",
                 push("one" + std::to_string(id), 7, ring.told<Ack>(id, "one").back().last.value + 1, {"x"}));
        ring.run(50ms);
    }
    const auto rounds = ring.ledger.rounds.size() - before;
    BOOST_TEST(rounds >= 40U);
    BOOST_TEST(ring.checkpoints - made >= rounds / 10 - 1);
    BOOST_TEST(ring.checkpoints - made <= rounds / 10 + 1);
}

BOOST_AUTO_TEST_SUITE_END()

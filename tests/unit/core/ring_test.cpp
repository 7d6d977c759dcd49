// Whole nodes: a ring forms, carries messages, survives a restart, a departure, two candidates and a lost majority.
#include <boost/test/data/test_case.hpp>

#include "tests/unit/core/desk.hpp"
#include "tests/unit/core/small_ring.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

namespace {

/// All nodes that run are in one epoch, with one table.
void check_one_ring(const SmallRing& ring, std::size_t members) {
    BOOST_TEST(ring.running() == members);
    std::optional<NodeStatus> first;
    for (const auto& [id, host] : ring.hosts) {
        if (!host.node || host.stopped) continue;
        const auto status = host.node->status();
        BOOST_REQUIRE(status.view.has_value());
        BOOST_TEST(status.view->members.size() == members);
        if (first) {
            BOOST_TEST((status.view == first->view));
            BOOST_TEST((status.tip.round == first->tip.round));
            BOOST_TEST(status.sessions == first->sessions);
        }
        first = status;
    }
    BOOST_TEST(!ring.outcome_not_last, "an action with an outcome is the last of its step");
}

std::size_t times(const SmallRing& ring, const std::string& payload) {
    const auto wanted = "Mensagem: " + payload + "\n";
    std::size_t found = 0;
    for (auto at = ring.ledger.output.find(wanted); at != std::string::npos;
         at = ring.ledger.output.find(wanted, at + 1))
        ++found;
    return found;
}

/// A client at every node that runs greets, pushes and is acked.
void check_service(SmallRing& ring, const std::string& prefix) {
    for (auto& [id, host] : ring.hosts) {
        if (host.node && !host.stopped) ring.say(id.value, prefix, hello(prefix + std::to_string(id.value), 7));
    }
    ring.run(500ms);
    for (auto& [id, host] : ring.hosts) {
        if (!host.node || host.stopped) continue;
        BOOST_REQUIRE_EQUAL(ring.told<Welcome>(id.value, prefix).size(), 1U);
        ring.say(id.value, prefix,
                 push(prefix + std::to_string(id.value), 7, 1, {prefix + " of " + std::to_string(id.value)}));
    }
    ring.run(500ms);
    for (auto& [id, host] : ring.hosts) {
        if (!host.node || host.stopped) continue;
        const auto acks = ring.told<Ack>(id.value, prefix);
        BOOST_REQUIRE_EQUAL(acks.size(), 1U);
        BOOST_TEST(acks.front().last.value == 1U);
        BOOST_TEST(times(ring, prefix + " of " + std::to_string(id.value)) == 1U);
    }
}

}  // namespace

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

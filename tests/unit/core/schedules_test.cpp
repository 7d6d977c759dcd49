// Schedules that break rings whose rules are a little weaker, each step by step. docs/TESTING.md lists them.
#include <boost/test/data/test_case.hpp>

#include "tests/unit/core/desk.hpp"
#include "tests/unit/core/small_ring.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;

namespace {

std::size_t times(const SmallRing& ring, const std::string& payload) {
    std::size_t found = 0;
    const auto& output = ring.ledger.output;
    for (auto at = output.find(payload); at != std::string::npos; at = output.find(payload, at + 1)) ++found;
    return found;
}

SmallRing standing_ring() {
    SmallRing ring{3};
    ring.boot_all();
    ring.run(2s);
    BOOST_REQUIRE_EQUAL(ring.running(), 3U);
    return ring;
}

std::uint64_t parked_at(const SmallRing& ring) {
    for (const auto& [id, host] : ring.hosts) {
        if (host.node->status().parked) return id.value;
    }
    BOOST_FAIL("no token is parked");
    return 0;
}

template <class Kind>
std::size_t under_way(const SmallRing& ring) {
    std::size_t count = 0;
    for (const auto& mail : ring.mail) {
        const auto* control = std::get_if<ControlArrived>(&mail.input);
        count += control && std::holds_alternative<Kind>(control->message);
    }
    return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

// The holder decides another node's bid and dies before a word of it goes round. Who bid must learn it from the
// ledger before it bids again, or both messages stand in the file twice.
BOOST_AUTO_TEST_CASE(what_a_holder_decided_before_it_died_is_answered_and_not_bid_again) {
    auto ring = standing_ring();
    const auto holder = parked_at(ring);
    const auto bidder = (holder + 1) % 3;
    ring.say(bidder, "c", hello("id", 7));
    ring.run(500ms);
    BOOST_REQUIRE_EQUAL(ring.told<Welcome>(bidder, "c").size(), 1U);
    const auto holds_now = parked_at(ring);
    const auto other = (holds_now + 1) % 3;
    std::size_t deaths = 0;
    ring.decided = [&](NodeId node) {
        if (deaths++ == 0) ring.kill(node.value);
    };
    ring.say(other, "t", Blob::copy("a text"));
    ring.say(bidder, "c", push("id", 7, 1, {"a batch"}));
    ring.run(2s);
    BOOST_TEST(deaths >= 1U);
    BOOST_TEST(times(ring, "a text") == 1U);
    BOOST_TEST(times(ring, "a batch") <= 1U);
    if (ring.hosts[NodeId{other}].node) {
        const auto told = ring.told<TextOk>(other, "t");
        BOOST_REQUIRE_EQUAL(told.size(), 1U);
        BOOST_TEST(told.front().sequence.value >= 1U);
    }
    if (ring.hosts[NodeId{bidder}].node) BOOST_TEST(ring.told<Ack>(bidder, "c").size() == 1U);
}

// Nodes 0 and 2 do not reach each other, both reach 1. If a candidate could take a working ring apart, the two would
// depose each other for ever.
BOOST_AUTO_TEST_CASE(two_nodes_that_cannot_talk_do_not_depose_each_other_for_ever) {
    SmallRing ring{3};
    ring.apart.insert({NodeId{0}, NodeId{2}});
    ring.boot_all();
    ring.run(5s);
    BOOST_TEST(ring.running() == 2U);
    const auto epoch = ring.ledger.tip().epoch;
    ring.run(60s);
    BOOST_TEST((ring.ledger.tip().epoch == epoch));
    ring.apart.clear();
    ring.run(5s);
    BOOST_TEST(ring.running() == 3U);
}

// A node answers each call, but no link of it ever stands, or each to it is refused at once, before or after its
// predecessor's own link stood: views with it fail. It is left out for longer and longer.
BOOST_DATA_TEST_CASE(a_member_that_answers_and_cannot_be_linked_does_not_stop_the_others,
                     boost::unit_test::data::make({false, true}) * boost::unit_test::data::make({0U, 1U, 2U}), refused,
                     bad) {
    SmallRing ring{3};
    (refused ? ring.barred : ring.deaf).insert(NodeId{bad});
    const std::uint64_t good = bad == 0 ? 1 : 0;
    ring.boot_all();
    ring.run(10s);
    BOOST_TEST(ring.status(good).view->members.size() == 2U);
    const auto early = ring.ledger.segments.size();
    ring.run(30s);
    BOOST_TEST(ring.ledger.segments.size() - early <= early + 3);
    ring.say(good, "t", Blob::copy("served"));
    ring.run(1s);
    BOOST_TEST(ring.told<TextOk>(good, "t").size() == 1U);
    ring.deaf.clear();
    ring.barred.clear();
    ring.run(60s);
    BOOST_TEST(ring.running() == 3U);
    BOOST_TEST(ring.status(good).view->members.size() == 3U);
}

// No link from one node to its successor stands, and the word of it is lost but at the node itself: it alone leaves the
// other out. It may not ask that one, which coordinates, to be admitted: it would not answer the call, and ask again.
BOOST_AUTO_TEST_CASE(who_leaves_the_coordinator_out_does_not_take_its_ring_apart) {
    SmallRing ring{3};
    ring.one_way.insert({NodeId{2}, NodeId{0}});
    ring.lose = [](const Control& message) {
        const auto* suspect = std::get_if<Suspect>(&message);
        return suspect && suspect->reason == SuspectReason::link_failed;
    };
    ring.boot_all();
    ring.run(60s);
    const auto before = ring.ledger.segments.size();
    ring.run(15s);
    BOOST_TEST(ring.ledger.segments.size() - before <= 6U);
    BOOST_TEST(ring.running() == 2U);
}

// What one node sends over links does not arrive, all else does. It accuses whoever is its successor; were it never left
// out itself, no view with it would stand, and all would be in vain.
BOOST_DATA_TEST_CASE(a_member_whose_own_links_lead_nowhere_does_not_stop_the_others,
                     boost::unit_test::data::make({3U, 5U}) * boost::unit_test::data::make({0U, 1U, 2U}), count, bad) {
    SmallRing ring{count};
    for (const auto& [other, host] : ring.hosts) {
        if (other != NodeId{bad}) ring.one_way.insert({NodeId{bad}, other});
    }
    const std::uint64_t good = bad == 0 ? 1 : 0;
    ring.boot_all();
    ring.run(30s);
    Duration longest{};
    for (auto last = ring.now; ring.now < Instant{160s};) {
        const auto before = ring.ledger.rounds.size();
        ring.say(good, "t", Blob::copy("a text"));
        ring.run(100ms);
        if (ring.ledger.rounds.size() > before) last = ring.now;
        longest = std::max(longest, ring.now - last);
    }
    BOOST_TEST(std::chrono::duration_cast<std::chrono::milliseconds>(longest).count() < 3'000);
    ring.one_way.clear();
    ring.run(60s);
    BOOST_TEST(ring.running() == count);
}

// A hello over a link and its answer take a little longer than a time-out. Each node then accuses its successor, whose link
// did not stand; were that no silence from which patience grows, there would be no ring as long as links are slow.
BOOST_DATA_TEST_CASE(a_ring_whose_links_are_slow_becomes_patient, boost::unit_test::data::make({3U, 5U}), count) {
    SmallRing ring{count};
    ring.link_delay = 160ms;
    for (std::uint64_t id = 0; id <= count / 2; ++id) ring.boot(id);  // a majority, and nobody to spare
    ring.run(10s);
    BOOST_TEST(ring.running() == count / 2 + 1);
    ring.say(0, "t", Blob::copy("served"));
    ring.run(5s);
    BOOST_TEST(ring.told<TextOk>(0, "t").size() == 1U);
}

// A candidate that has mounted another volume would form a second ring. It cannot write its call where we read it.
BOOST_AUTO_TEST_CASE(a_call_from_another_volume_is_not_answered) {
    SmallRing ring{3};
    ring.boot(1);
    ring.deliver();
    ring.mail.clear();
    const Call call{CallId{77}, LedgerId{1}, Epoch{0}};
    ring.step(NodeId{1}, ControlArrived{NodeId{0}, Incarnation{50}, call, CallId{76}});
    ring.step(NodeId{1},
              ControlArrived{NodeId{0}, Incarnation{50}, Call{CallId{77}, LedgerId{2}, Epoch{0}}, CallId{77}});
    ring.boot(0);
    BOOST_TEST(under_way<Answer>(ring) == 0U);
    ring.step(NodeId{1}, ControlArrived{NodeId{0}, Incarnation{50}, call, CallId{77}});
    BOOST_TEST(under_way<Answer>(ring) == 1U);
}

// What was meant for an earlier life of this node, or belongs to an epoch that is over, is not believed.
BOOST_AUTO_TEST_CASE(views_of_another_incarnation_and_suspicions_of_an_older_epoch_change_nothing) {
    auto ring = standing_ring();
    const auto before = ring.status(1);
    auto view = *before.view;
    view.epoch = view.epoch.next();
    for (auto& member : view.members) {
        if (member.id == NodeId{1}) member.incarnation = {999};
    }
    const auto from = view.coordinator;
    ring.step(NodeId{1}, ControlArrived{from, Incarnation{1}, ViewTold{view}, {}});
    ring.step(NodeId{1}, ControlArrived{from, Incarnation{1}, ViewTold{*before.view}, {}});
    ring.step(NodeId{1},
              ControlArrived{NodeId{2},
                             Incarnation{3},
                             Suspect{Epoch{before.view->epoch.value - 1}, SuspectReason::token_overdue, NodeId{0}},
                             {}});
    ring.step(NodeId{1}, ControlArrived{NodeId{2}, Incarnation{3}, Ready{before.view->epoch}, {}});
    ring.run(2s);
    BOOST_TEST((ring.status(1).view == before.view));
    BOOST_TEST((ring.ledger.tip().epoch == before.view->epoch));
}

// Its word that it leaves the epoch is lost, so the others count it in and answer that all is well; it asks to be admitted,
// and they answer that all is well.
BOOST_AUTO_TEST_CASE(who_left_an_epoch_unheard_says_so_when_told_that_it_goes_on) {
    auto ring = standing_ring();
    const auto epoch = ring.status(0).view->epoch;
    const auto coordinator = ring.status(0).view->coordinator;
    const NodeId leaver{(coordinator.value + 1) % 3};
    ring.lose = [](const Control& message) {
        return std::holds_alternative<Suspect>(message) || std::holds_alternative<Call>(message);
    };
    const auto links = ring.peers;
    for (const auto& [link, peer] : links) {
        if (link.first == leaver) ring.step(leaver, LinkDropped{link.second});
    }
    BOOST_REQUIRE((ring.status(leaver.value).phase == Phase::seeking));
    ring.lose = [](const Control& message) { return std::holds_alternative<Call>(message); };
    ring.post(leaver,
              ControlArrived{coordinator, ring.hosts[coordinator].incarnation, Content{epoch, coordinator}, {}});
    ring.run(1ms);
    BOOST_TEST((ring.status(coordinator.value).phase != Phase::operational));
    ring.lose = nullptr;
    ring.run(2s);
    BOOST_TEST(ring.running() == 3U);
    BOOST_TEST(ring.status(0).view->members.size() == 3U);
}

// The one word that a round is durable gets lost, and then nothing happens any more. Who waits looks for itself.
BOOST_AUTO_TEST_CASE(an_ack_comes_though_the_durable_notice_was_lost_on_an_idle_ring) {
    auto ring = standing_ring();
    const auto bidder = (parked_at(ring) + 1) % 3;
    std::size_t lost = 0;
    ring.lose = [&](const Control& message) {
        const bool is = std::holds_alternative<DurableNotice>(message);
        lost += is;
        return is;
    };
    ring.say(bidder, "t", Blob::copy("who waits"));
    ring.run(1s);
    BOOST_TEST(lost >= 1U);
    BOOST_TEST(ring.told<TextOk>(bidder, "t").size() == 1U);
}

// A text is refused because the disk is full, and a copy of it that came with a wake is decided when there is room. The
// node gives the number of the refused text to the next one, which must not be told that it is written.
BOOST_AUTO_TEST_CASE(a_text_after_a_full_disk_is_not_acked_for_one_whose_copy_came_late) {
    Desk desk;
    const auto say = [&](const std::string& from, const std::string& text) {
        desk.arrive(from, Blob::copy(text));
        desk.words();
    };
    say("a", "one");
    desk.run();
    BOOST_REQUIRE_EQUAL(desk.said_of<TextOk>().size(), 1U);
    say("b", "two");
    Wake late{Epoch{1}, {}, {}};
    desk.clients.add_copies(late);
    BOOST_REQUIRE(desk.clients.make_bid(1'000'000, true));
    desk.clients.settled(true);
    BOOST_REQUIRE_EQUAL(desk.said_of<TextError>().size(), 1U);
    if (!late.entries.empty()) desk.decide({Bid{NodeId{0}, late.entries, {late.frames}}});
    say("c", "three");
    desk.run();
    BOOST_TEST(desk.said_of<TextOk>().size() == 1U);
    BOOST_TEST(desk.output.find("two") == std::string::npos);  // its client was told so
    BOOST_TEST(desk.output.find("three") != std::string::npos);
}

// What clients with sessions push is copied, so the case above is not empty.
BOOST_AUTO_TEST_CASE(a_wake_brings_the_pushes_of_clients_past_the_texts_of_the_node) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("t", Blob::copy(std::string{"text"}));
    desk.words();
    desk.run();
    desk.arrive("t", Blob::copy(std::string{"another"}));
    desk.arrive("c", push("id", 7, 1, {"x"}));
    Wake wake{Epoch{1}, {}, {}};
    desk.clients.add_copies(wake);
    BOOST_REQUIRE_EQUAL(wake.entries.size(), 1U);
    BOOST_TEST((wake.frames == push("id", 7, 1, {"x"})));
}

// The first copy of message 1 lies at node 2, its client failed over to node 1 and pushed 1 and 2 there, all at one
// time. The copy of node 2 may not end up behind message 2.
BOOST_AUTO_TEST_CASE(a_client_that_failed_over_keeps_its_order_within_one_round) {
    Desk desk;
    desk.decide({bid_of(1, {{0, hello("id", 7)}})});
    const auto birth = desk.birth("id");
    desk.decide({bid_of(2, {{birth, push("id", 7, 1, {"first"})}}),
                 bid_of(1, {{birth, push("id", 7, 1, {"first", "second"})}})});
    const auto first = desk.output.find("first");
    const auto second = desk.output.find("second");
    BOOST_REQUIRE(first != std::string::npos);
    BOOST_REQUIRE(second != std::string::npos);
    BOOST_TEST(first < second);
    BOOST_TEST(desk.output.find("first", first + 1) == std::string::npos);
}

// A hello sleeps in node 0. Its client goes on at node 1 and pushes; before it hears of an ack, another instance takes the
// session over and ends it. The hello must not bring the session back: the client would be welcomed with the count 0, and
// its messages be written twice.
BOOST_DATA_TEST_CASE(a_hello_that_slept_does_not_bring_an_ended_session_back,
                     boost::unit_test::data::make({"in the queue", "in a bid", "not judged yet"}), where) {
    const std::string place{where};
    Desk desk;
    desk.arrive("old", hello("id", 7));
    if (place == "not judged yet") {
        desk.words(false);
    } else {
        desk.words();
        BOOST_REQUIRE(desk.clients.has_work());
    }
    if (place == "in a bid") BOOST_REQUIRE(desk.clients.make_bid(1'000'000, true));
    desk.clients.epoch_left();
    desk.decide({bid_of(1, {{0, hello("id", 7)}})});
    const auto birth = desk.birth("id");
    desk.decide({bid_of(1, {{birth, push("id", 7, 1, {"one", "two"})}})});
    desk.decide({bid_of(1, {{birth, hello("id", 8)}})});
    desk.decide({bid_of(1, {{desk.birth("id"), bye("id", 8)}})});
    BOOST_REQUIRE(!desk.context.sessions.find("id"));
    desk.clients.bid_again();
    desk.tick(1s);
    desk.run();
    BOOST_TEST(!desk.context.sessions.find("id"));
    const auto rejects = desk.said_of<Reject>();  // beside the ack of what is written
    BOOST_REQUIRE_EQUAL(rejects.size(), 1U);
    BOOST_TEST((rejects.front().code == RejectCode::hello_first));
    desk.arrive("new", hello("id", 7, 2));
    desk.run();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::session_retired));
    BOOST_TEST(desk.clients.idle());
}

// The same where the node learns of it all from a checkpoint: no round says that the session was there.
BOOST_AUTO_TEST_CASE(a_hello_that_slept_through_a_checkpoint_is_said_again) {
    Desk desk;
    desk.arrive("c", hello("id", 7));
    desk.words();
    desk.arrive("d", hello("other", 9));
    desk.words(false);
    desk.arrive("t", Blob::copy("a text"));
    desk.clients.epoch_left();
    const auto tip = desk.context.tip.round.next().next();
    desk.context.sessions.reset({tip, {}, 0, {}});
    desk.context.tip.round = tip;
    desk.clients.table_replaced();
    desk.clients.bid_again();
    BOOST_TEST(desk.said_of<Reject>().size() == 2U);
    desk.tick(1s);
    desk.run();
    BOOST_TEST(desk.said_of<TextOk>().size() == 1U);
    BOOST_TEST(!desk.context.sessions.find("id"));
    BOOST_TEST(!desk.context.sessions.find("other"));
    BOOST_TEST(desk.clients.idle());
}

// Changes of other sessions, and its own client's session made by way of another node, are no reason to refuse a hello.
BOOST_AUTO_TEST_CASE(a_hello_that_waits_is_refused_for_changes_of_its_own_session_alone) {
    Desk desk;
    desk.arrive("c", hello("id", 7));
    desk.words();
    desk.decide({bid_of(1, {{0, hello("other", 9)}})});
    BOOST_TEST(desk.clients.has_work());
    desk.decide({bid_of(1, {{0, hello("id", 7)}})});
    BOOST_TEST(!desk.clients.has_work());
    desk.run();
    BOOST_TEST(desk.only<Welcome>().last.value == 0U);
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_SUITE_END()

// The client side of a node: what is taken, what is answered when, and that nothing is said before it is true.
#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

NodeConfig small() {
    auto config = one_of_three();
    config.client_limits = {.message_bytes = 1000, .batch_bytes = 4000, .window_bytes = 8000};
    config.bid_bytes = 2000;
    config.pending_bytes = 20'000;
    config.clients = 4;
    return config;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(clients)

BOOST_AUTO_TEST_CASE(a_welcome_comes_only_after_the_hello_is_decided_durable_and_the_table_is_fresh) {
    Desk desk;
    desk.arrive("c", hello("id", 7));
    BOOST_TEST(!desk.clients.has_work());  // first it must be known whether there is a session
    desk.words(false);
    BOOST_TEST(!desk.clients.has_work());
    desk.tick(std::chrono::seconds{1});
    desk.words();
    BOOST_TEST(desk.clients.has_work());
    desk.words();
    BOOST_TEST(desk.silent());
    desk.round();
    desk.words();
    BOOST_TEST(desk.silent());  // decided, but not durable
    desk.context.durable = desk.context.tip.round;
    desk.clients.durable_raised();
    desk.words(false);
    BOOST_TEST(desk.silent());  // durable, but the table may be old
    desk.tick(std::chrono::seconds{1});
    desk.words();
    const auto welcome = desk.only<Welcome>();
    BOOST_TEST(welcome.client_id == "id");
    BOOST_TEST(welcome.last.value == 0U);
    BOOST_TEST(desk.context.sessions.find("id")->birth.value == 1U);
}

BOOST_AUTO_TEST_CASE(a_push_without_a_hello_is_refused_and_not_taken) {
    Desk desk;
    desk.arrive("c", push("id", 7, 1, {"x"}));
    const auto reject = desk.only<Reject>();
    BOOST_TEST((reject.code == RejectCode::hello_first));
    BOOST_TEST(reject.sequence.value == 1U);
    BOOST_TEST(!desk.clients.has_work());
}

BOOST_AUTO_TEST_CASE(a_push_before_the_welcome_or_over_another_connection_is_refused) {
    Desk desk;
    desk.arrive("c", hello("id", 7));
    desk.arrive("c", push("id", 7, 1, {"x"}));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::hello_first));
    desk.run();
    BOOST_TEST(desk.said_of<Welcome>().size() == 1U);
    desk.arrive("other", push("id", 7, 1, {"x"}));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::hello_first));
    desk.arrive("c", push("id", 8, 1, {"x"}));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::hello_first));
    BOOST_TEST(!desk.clients.has_work());
}

BOOST_AUTO_TEST_CASE(an_ack_waits_until_its_round_is_durable) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"one", "two"}));
    BOOST_TEST(desk.silent());
    desk.round();
    BOOST_TEST(desk.silent());
    desk.durable();
    BOOST_TEST((desk.only<Ack>() == Ack{"id", {2}, {2}, {2}}));
    BOOST_TEST(desk.output ==
               "Container 0 \nMensagem: one\nContainer 0 \nMensagem: two\n" + std::string(56, '#') + "\n");
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_CASE(a_repeat_is_acked_again_only_when_durable_and_never_written_again) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"one"}));
    desk.arrive("c", push("id", 7, 1, {"one"}));
    BOOST_TEST(desk.clients.pending_messages() == 1U);
    desk.round();
    desk.arrive("c", push("id", 7, 1, {"one"}));
    BOOST_TEST(desk.silent());
    desk.durable();
    BOOST_TEST(desk.said_of<Ack>().size() >= 1U);
    const auto written = desk.output;
    desk.arrive("c", push("id", 7, 1, {"one"}));
    BOOST_TEST((desk.only<Ack>() == Ack{"id", {1}, {1}, {2}}));
    desk.run();
    BOOST_TEST(desk.output == written);
}

BOOST_AUTO_TEST_CASE(a_batch_that_overlaps_what_is_written_adds_only_what_is_new) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"one", "two"}));
    desk.round();
    desk.arrive("c", push("id", 7, 2, {"two", "three"}));
    desk.run();
    BOOST_TEST(desk.context.tip.sequence.value == 3U);
    BOOST_TEST(desk.context.sessions.find("id")->last.value == 3U);
}

BOOST_AUTO_TEST_CASE(a_gap_is_refused_once_and_names_the_expected_sequence) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"one"}));
    desk.arrive("c", push("id", 7, 3, {"three"}));
    const auto reject = desk.only<Reject>();
    BOOST_TEST((reject.code == RejectCode::gap));
    BOOST_TEST(reject.sequence.value == 3U);
    BOOST_TEST(reject.text.find('2') != std::string::npos);
    desk.arrive("c", push("id", 7, 4, {"four"}));
    desk.arrive("c", push("id", 7, 5, {"five"}));
    BOOST_TEST(desk.silent());
    desk.arrive("c", push("id", 7, 2, {"two", "three"}));
    desk.arrive("c", push("id", 7, 4, {"four"}));
    desk.run();
    BOOST_TEST(desk.context.sessions.find("id")->last.value == 4U);
}

BOOST_AUTO_TEST_CASE(a_full_window_is_busy_once_and_drops_until_the_expected_batch_comes) {
    Desk desk{small()};
    desk.greet("c", "id", 7);
    std::uint64_t next = 1;
    std::vector<Busy> busy;
    while (busy.empty() && next < 100) {
        desk.arrive("c", push("id", 7, next, {std::string(900, 'x')}));
        busy = desk.said_of<Busy>();
        ++next;
    }
    const std::uint64_t refused = next - 1;
    BOOST_REQUIRE_EQUAL(busy.size(), 1U);
    BOOST_TEST(busy.front().first.value == refused);
    BOOST_TEST(busy.front().retry_after_ms > 0U);
    BOOST_TEST(desk.clients.pending_bytes() <= small().client_limits.window_bytes + 200 * refused);
    desk.arrive("c", push("id", 7, refused + 1, {"later"}));
    desk.arrive("c", push("id", 7, refused + 2, {"later"}));
    BOOST_TEST(desk.silent());
    desk.run();
    BOOST_TEST(desk.context.sessions.find("id")->last.value == refused - 1);
    static_cast<void>(desk.said());
    desk.arrive("c", push("id", 7, refused + 1, {"later"}));
    BOOST_TEST(desk.silent());
    desk.arrive("c", push("id", 7, refused, {"again"}));
    desk.arrive("c", push("id", 7, refused + 1, {"later"}));
    desk.run();
    BOOST_TEST(desk.context.sessions.find("id")->last.value == refused + 1);
}

BOOST_AUTO_TEST_CASE(the_pending_bytes_of_all_clients_together_are_bounded) {
    auto config = small();
    config.pending_bytes = 5000;
    Desk desk{config};
    desk.greet("a", "a", 1);
    desk.greet("b", "b", 2);
    for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
        desk.arrive("a", push("a", 1, sequence, {std::string(900, 'x')}));
        desk.arrive("b", push("b", 2, sequence, {std::string(900, 'x')}));
    }
    BOOST_TEST(!desk.said_of<Busy>().empty());
    BOOST_TEST(desk.clients.pending_bytes() <= 5000U);
}

BOOST_AUTO_TEST_CASE(a_batch_as_large_as_the_window_is_taken_when_nothing_else_waits) {
    auto config = small();
    config.client_limits = {.message_bytes = 7000, .batch_bytes = 7999, .window_bytes = 4000};
    Desk desk{config};
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {std::string(7000, 'x')}));
    BOOST_TEST(desk.silent());
    desk.run();
    BOOST_TEST(desk.said_of<Ack>().size() == 1U);
}

BOOST_AUTO_TEST_CASE(of_two_instances_that_greet_at_two_nodes_in_one_round_one_is_told_conflict) {
    Desk desk;
    desk.arrive("c", hello("id", 7));
    desk.words();
    auto other = hello("id", 8);
    // Node 1's hello comes behind ours in the order of containers: ours stays.
    desk.round({bid_of(1, {{0, other}})});
    desk.durable();
    desk.words();
    BOOST_TEST(desk.only<Welcome>().last.value == 0U);

    Desk loser{one_of_three(2)};
    loser.arrive("c", hello("id", 7));
    loser.words();
    loser.round({bid_of(1, {{0, other}})});
    loser.durable();
    loser.words();
    BOOST_TEST((loser.only<Reject>().code == RejectCode::conflict));
    BOOST_TEST(loser.context.sessions.find("id")->instance.value == 8U);
}

BOOST_AUTO_TEST_CASE(after_a_takeover_the_older_instance_is_told_conflict) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.decide({bid_of(1, {{desk.birth("id"), hello("id", 8)}})});
    desk.arrive("c", push("id", 7, 1, {"x"}));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::conflict));
    BOOST_TEST(!desk.clients.has_work());
}

BOOST_AUTO_TEST_CASE(a_batch_in_the_queue_when_another_instance_takes_over_is_refused_and_not_written) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"x"}));
    desk.decide({bid_of(1, {{desk.birth("id"), hello("id", 8)}})});
    desk.round();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::conflict));
    BOOST_TEST(desk.context.tip.sequence.value == 0U);
    desk.durable();
    BOOST_TEST(desk.silent());
}

BOOST_AUTO_TEST_CASE(a_batch_in_the_queue_is_not_acked_because_another_instance_wrote_that_number) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"mine"}));
    desk.decide({bid_of(1, {{desk.birth("id"), hello("id", 8)}})});
    desk.decide({bid_of(1, {{desk.birth("id"), push("id", 8, 1, {"theirs"})}})});
    desk.round();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::conflict));
    desk.durable();
    BOOST_TEST(desk.silent());
}

BOOST_AUTO_TEST_CASE(who_takes_over_is_not_acked_a_number_that_the_instance_before_wrote) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"theirs", "theirs too"}));
    desk.run();
    static_cast<void>(desk.said());
    desk.greet("d", "id", 8);
    desk.arrive("d", push("id", 8, 2, {"mine"}));
    const auto reject = desk.only<Reject>();
    BOOST_TEST((reject.code == RejectCode::conflict));
    BOOST_TEST(reject.sequence.value == 2U);
    desk.run();
    BOOST_TEST(desk.silent());
}

BOOST_AUTO_TEST_CASE(the_same_instance_born_again_does_not_get_the_batches_of_its_first_life_written) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"first life"}));
    desk.decide({bid_of(1, {{desk.birth("id"), hello("id", 8)}})});
    desk.decide({bid_of(1, {{desk.birth("id"), hello("id", 7)}})});
    desk.round();
    BOOST_TEST(desk.context.tip.sequence.value == 0U);
    desk.durable();
    BOOST_TEST(desk.said_of<Ack>().empty());
}

BOOST_AUTO_TEST_CASE(a_hello_that_has_sent_before_is_refused_where_no_session_is) {
    Desk desk;
    desk.arrive("c", hello("id", 7, 3));
    desk.run();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::session_retired));
    BOOST_TEST(desk.context.sessions.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_hello_that_has_sent_before_is_refused_where_another_instance_is) {
    Desk desk;
    desk.greet("c", "id", 8);
    desk.arrive("d", hello("id", 7, 3));
    desk.run();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::conflict));
    BOOST_TEST(desk.context.sessions.find("id")->instance.value == 8U);
}

BOOST_AUTO_TEST_CASE(a_hello_of_the_sessions_own_instance_is_welcomed_without_a_round) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"x"}));
    desk.run();
    static_cast<void>(desk.said());
    const auto before = desk.context.tip.round;
    desk.arrive("d", hello("id", 7, 1));
    desk.run();
    BOOST_TEST(desk.only<Welcome>().last.value == 1U);
    BOOST_TEST((desk.context.tip.round == before));
}

BOOST_AUTO_TEST_CASE(a_takeover_is_answered_by_a_welcome_and_no_ack_of_what_others_sent) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"x"}));
    desk.run();
    static_cast<void>(desk.said());
    desk.arrive("d", hello("id", 8));
    desk.run();
    // A REQ client reads one answer to its hello: it must be the welcome.
    const auto replies = desk.said();
    BOOST_REQUIRE_EQUAL(replies.size(), 1U);
    BOOST_REQUIRE(std::holds_alternative<Welcome>(replies.front().reply));
    BOOST_TEST(std::get<Welcome>(replies.front().reply).last.value == 1U);
}

BOOST_AUTO_TEST_CASE(a_bye_is_answered_when_durable_and_its_session_is_gone) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", bye("id", 7));
    desk.round();
    BOOST_TEST(desk.silent());
    desk.durable();
    BOOST_TEST((desk.only<Byed>() == Byed{"id"}));
    BOOST_TEST(!desk.context.sessions.find("id"));
    desk.arrive("c", push("id", 7, 1, {"x"}));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::hello_first));
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_CASE(a_bye_without_a_hello_is_refused) {
    Desk desk;
    desk.arrive("c", bye("id", 7));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::hello_first));
    BOOST_TEST(!desk.clients.has_work());
}

BOOST_AUTO_TEST_CASE(refuse_all_refuses_what_waits_and_what_comes_and_accept_all_ends_it) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"x"}));
    desk.arrive("c", push("id", 7, 2, {"y"}));
    desk.arrive("h", hello("new", 9));
    desk.clients.refuse_all(RejectCode::no_quorum, "no majority");
    const auto rejects = desk.said_of<Reject>();
    BOOST_REQUIRE_EQUAL(rejects.size(), 2U);  // one a client
    for (const auto& reject : rejects) BOOST_TEST((reject.code == RejectCode::no_quorum));
    BOOST_TEST(desk.clients.idle());
    BOOST_TEST(desk.clients.pending_bytes() == 0U);
    desk.arrive("c", push("id", 7, 1, {"x"}));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::no_quorum));
    desk.arrive("t", Blob::copy("text"));
    BOOST_TEST((desk.only<TextError>().code == RejectCode::no_quorum));
    desk.clients.accept_all();
    desk.arrive("c", push("id", 7, 1, {"x"}));
    desk.run();
    BOOST_TEST((desk.only<Ack>().last.value == 1U));
}

BOOST_AUTO_TEST_CASE(a_bid_has_one_batch_of_any_size_and_further_ones_up_to_bid_bytes) {
    Desk desk{small()};
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {std::string(900, 'a'), std::string(900, 'a'), std::string(900, 'a')}));
    desk.arrive("c", push("id", 7, 4, {std::string(900, 'b')}));
    desk.arrive("c", push("id", 7, 5, {std::string(900, 'c')}));
    desk.arrive("c", push("id", 7, 6, {std::string(900, 'd')}));
    auto first = desk.clients.make_bid(1'000'000, false);
    BOOST_REQUIRE(first);
    BOOST_TEST(first->entries.size() == 1U);  // larger than bid_bytes, but the first
    desk.decide({*first});
    desk.clients.settled(false);
    auto second = desk.clients.make_bid(1'000'000, false);
    BOOST_REQUIRE(second);
    BOOST_TEST(second->entries.size() == 2U);
    std::size_t sum = 0;
    for (const auto& entry : second->entries) sum += entry.bytes;
    BOOST_TEST(sum == second->bytes());
    BOOST_TEST(sum <= small().bid_bytes);
}

BOOST_AUTO_TEST_CASE(a_full_token_gets_no_bid_and_an_empty_one_a_batch_of_any_size) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {std::string(9000, 'a')}));
    BOOST_TEST(!desk.clients.make_bid(8999, false).has_value());
    BOOST_TEST(!desk.clients.has_bid());
    BOOST_TEST(!desk.clients.make_bid(0, false).has_value());
    BOOST_TEST(desk.clients.make_bid(0, true).has_value());
    BOOST_TEST(desk.clients.has_bid());
}

BOOST_AUTO_TEST_CASE(small_and_large_frames_of_a_bid_come_back_byte_for_byte_in_order) {
    Desk desk;
    desk.greet("c", "id", 7);
    std::vector<Blob> frames;
    std::uint64_t sequence = 1;
    for (const std::size_t size : {1U, 20'000U, 2U, 8U * 1024, 8U * 1024 - 60, 3U}) {
        frames.push_back(push("id", 7, sequence++, {std::string(size, 'x')}));
        desk.arrive("c", frames.back());
    }
    const auto bid = desk.clients.make_bid(1'000'000, false);
    BOOST_REQUIRE(bid);
    std::string chunks;
    for (const auto& chunk : bid->chunks) chunks += chunk.text();
    std::string expected;
    for (const auto& frame : frames) expected += frame.text();
    BOOST_TEST((chunks == expected));
    BOOST_TEST(bid->entries.size() == frames.size());
    // No frame crosses the border of a chunk.
    std::size_t chunk = 0;
    std::size_t left = bid->chunks[0].size();
    for (const auto& entry : bid->entries) {
        if (left == 0) left = bid->chunks[++chunk].size();
        BOOST_REQUIRE_LE(entry.bytes, left);
        left -= entry.bytes;
        BOOST_TEST((entry.birth == Round{1}));
    }
}

BOOST_AUTO_TEST_CASE(disk_full_refuses_what_was_bid_and_what_waits_behind_it_once) {
    Desk desk{small()};
    desk.greet("c", "id", 7);
    for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
        desk.arrive("c", push("id", 7, sequence, {std::string(900, 'x')}));
    }
    BOOST_REQUIRE(desk.clients.make_bid(1'000'000, true));
    desk.clients.settled(true);
    const auto reject = desk.only<Reject>();
    BOOST_TEST((reject.code == RejectCode::disk_full));
    BOOST_TEST(reject.sequence.value == 1U);
    BOOST_TEST(desk.clients.pending_bytes() == 0U);
    BOOST_TEST(!is_final(reject.code));
    desk.arrive("c", push("id", 7, 1, {"again"}));
    desk.run();
    BOOST_TEST(desk.only<Ack>().last.value == 1U);
}

BOOST_AUTO_TEST_CASE(disk_full_at_a_hello_lets_the_client_greet_again) {
    Desk desk;
    desk.arrive("c", hello("id", 7));
    desk.words();
    BOOST_REQUIRE(desk.clients.make_bid(1'000'000, true));
    desk.clients.settled(true);
    BOOST_TEST((desk.only<Reject>().code == RejectCode::disk_full));
    desk.greet("c", "id", 7);
}

BOOST_AUTO_TEST_CASE(after_a_view_change_what_is_written_is_dropped_and_the_rest_is_bid_again) {
    Desk desk{small()};
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {std::string(900, 'a')}));
    desk.arrive("c", push("id", 7, 2, {std::string(900, 'b')}));
    desk.arrive("c", push("id", 7, 3, {std::string(900, 'c')}));
    auto bid = desk.clients.make_bid(1'000'000, true);
    BOOST_REQUIRE(bid);
    BOOST_TEST(bid->entries.size() == 2U);
    desk.decide({*bid});  // but the token with its result was lost
    desk.view_change();
    desk.clients.check_invariants();
    BOOST_TEST(!desk.clients.has_bid());
    BOOST_TEST(desk.clients.pending_messages() == 1U);
    desk.run();
    BOOST_TEST(desk.context.tip.sequence.value == 3U);
    const auto acks = desk.said_of<Ack>();
    BOOST_REQUIRE(!acks.empty());
    BOOST_TEST(acks.back().last.value == 3U);
    BOOST_TEST(desk.clients.pending_bytes() == 0U);
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_CASE(a_bid_that_was_not_decided_is_bid_again_in_the_same_order) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"a"}));
    desk.arrive("c", push("id", 7, 2, {"b"}));
    BOOST_REQUIRE(desk.clients.make_bid(1'000'000, true));
    desk.view_change();
    desk.run();
    BOOST_TEST(desk.context.sessions.find("id")->last.value == 2U);
    BOOST_TEST(desk.only<Ack>().last.value == 2U);
}

BOOST_AUTO_TEST_CASE(the_clients_a_node_remembers_are_bounded_and_the_idlest_is_forgotten) {
    Desk desk{small()};
    for (int index = 0; index < 50; ++index) {
        const auto id = std::to_string(index);
        desk.greet(id, id, 7);
    }
    BOOST_TEST(desk.clients.known() <= small().clients);
    desk.arrive("0", push("0", 7, 1, {"x"}));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::hello_first));
    desk.arrive("49", push("49", 7, 1, {"x"}));
    BOOST_TEST(desk.silent());
}

BOOST_AUTO_TEST_CASE(more_clients_than_can_be_remembered_at_once_are_told_to_come_again) {
    Desk desk{small()};
    for (int index = 0; index < 50; ++index) desk.arrive(std::to_string(index), hello(std::to_string(index), 7));
    BOOST_TEST(desk.clients.known() <= small().clients);
    BOOST_TEST(desk.said_of<Busy>().size() == 50 - small().clients);
}

BOOST_AUTO_TEST_CASE(a_flood_of_greetings_of_one_client_costs_one_entry) {
    Desk desk{small()};
    for (int index = 0; index < 1000; ++index) desk.arrive("c", hello("id", 7));
    desk.words();
    for (int index = 0; index < 1000; ++index) desk.arrive("c", hello("id", 7));
    desk.words();
    const auto bid = desk.clients.make_bid(1'000'000, true);
    BOOST_REQUIRE(bid);
    BOOST_TEST(bid->entries.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_flood_of_byes_costs_no_more_than_the_window) {
    Desk desk{small()};
    desk.greet("c", "id", 7);
    for (int index = 0; index < 10'000; ++index) desk.arrive("c", bye("id", 7));
    BOOST_TEST(desk.clients.pending_bytes() <= small().client_limits.window_bytes);
}

BOOST_AUTO_TEST_CASE(client_ids_of_the_nodes_are_not_given_to_clients) {
    Desk desk;
    desk.arrive("c", hello("anon:0:000000000000abcd", 0xabcd));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::malformed));
    desk.run();
    BOOST_TEST(desk.context.sessions.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_req_client_gets_its_answers_on_the_same_kind_of_connection) {
    Desk desk;
    const Connection req{"r", true};
    desk.clients.arrived(req, hello("id", 7));
    desk.run();
    const auto replies = desk.said();
    BOOST_REQUIRE_EQUAL(replies.size(), 1U);
    BOOST_TEST((replies.front().connection == req));
}

BOOST_AUTO_TEST_CASE(acks_that_wait_long_make_the_node_read_the_durable_word) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"x"}));
    desk.round();
    BOOST_TEST(!desk.clients.wants_words());
    const auto wakeup = desk.clients.next_wakeup();
    BOOST_REQUIRE(wakeup.has_value());
    desk.context.now.steady = *wakeup;
    BOOST_TEST(desk.clients.wants_words());
    desk.clients.words_read(true);
    BOOST_TEST(!desk.clients.wants_words());
    BOOST_REQUIRE(desk.clients.next_wakeup().has_value());
    BOOST_TEST((*desk.clients.next_wakeup() > *wakeup));
    desk.durable();
    BOOST_TEST(!desk.clients.next_wakeup().has_value());
    BOOST_TEST(desk.said_of<Ack>().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

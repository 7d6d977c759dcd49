// Plain text pushes: an OK is a promise as good as an ack, whatever happened between.
#include <array>
#include <boost/test/data/test_case.hpp>

#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;
namespace data = boost::unit_test::data;
BOOST_TEST_DONT_PRINT_LOG_VALUE(anel::RejectCode)

namespace {

/// What a node says to all when it is in no epoch: in each case, what it had bid may be decided yet.
constexpr std::array refusals_of_all{RejectCode::no_quorum, RejectCode::disk_full};

std::size_t count(const std::string& text, const std::string& wanted) {
    std::size_t found = 0;
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) ++found;
    return found;
}

void say(Desk& desk, const std::string& from, const std::string& text) { desk.arrive(from, Blob::copy(text)); }

/// Whoever was told OK finds the text in the output, once.
void check_oks(const std::vector<ReplyClient>& replies, const std::string& output) {
    std::size_t lost = 0;
    for (const auto& reply : replies) {
        if (!std::holds_alternative<TextOk>(reply.reply)) continue;
        lost += count(output, "Mensagem: " + reply.connection.routing_id + "\n") != 1;
    }
    BOOST_TEST(lost == 0U, lost << " texts were told OK and do not stand in the output once");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(anonymous)

BOOST_AUTO_TEST_CASE(a_text_is_answered_by_its_ledger_sequence_when_it_is_durable) {
    Desk desk;
    say(desk, "a", "one");
    say(desk, "b", "two");
    desk.words();
    desk.round();  // the hello
    desk.durable();
    desk.words();
    BOOST_TEST(desk.silent());
    desk.round();
    BOOST_TEST(desk.silent());
    desk.durable();
    const auto replies = desk.said();
    BOOST_REQUIRE_EQUAL(replies.size(), 2U);
    BOOST_TEST((replies[0] == ReplyClient{Desk::line("a"), TextOk{{1}}}));
    BOOST_TEST((replies[1] == ReplyClient{Desk::line("b"), TextOk{{2}}}));
    BOOST_TEST(desk.output.find("Mensagem: one\n") < desk.output.find("Mensagem: two\n"));
    BOOST_TEST(desk.context.sessions.find(anonymous_client_id({0}, {0xabcd})) != nullptr);
}

BOOST_AUTO_TEST_CASE(the_sequences_are_right_when_other_messages_stand_between) {
    Desk desk;
    say(desk, "warm", "warm");
    desk.run();
    static_cast<void>(desk.said());
    desk.greet("c", "id", 7);
    say(desk, "a", "a");
    const auto early = Blob::of(encode_push("id", {7}, {1}, {{1, "first"}}));
    desk.arrive("c", early);
    say(desk, "b", "b");
    desk.run();
    for (const auto& reply : desk.said()) {
        if (const auto* ok = std::get_if<TextOk>(&reply.reply)) {
            // The classic format numbers nothing: count the messages before.
            const auto at = desk.output.find("Mensagem: " + reply.connection.routing_id + "\n");
            BOOST_REQUIRE(at != std::string::npos);
            BOOST_TEST(ok->sequence.value == count(desk.output.substr(0, at), "Mensagem: ") + 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(text_that_is_empty_or_not_utf8_or_too_long_is_refused) {
    Desk desk;
    desk.arrive("a", Blob{});
    BOOST_TEST((desk.only<TextError>().code == RejectCode::malformed));
    say(desk, "a", "\xff\xfe");
    BOOST_TEST((desk.only<TextError>().code == RejectCode::malformed));
    say(desk, "a", std::string(desk.context.config.client_limits.message_bytes + 1, 'x'));
    BOOST_TEST((desk.only<TextError>().code == RejectCode::too_large));
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_CASE(a_text_of_the_largest_size_is_taken) {
    Desk desk;
    say(desk, "a", std::string(desk.context.config.client_limits.message_bytes, 'x'));
    desk.run();
    BOOST_TEST(desk.said_of<TextOk>().size() == 1U);
}

BOOST_AUTO_TEST_CASE(when_the_node_is_busy_what_it_has_taken_already_is_still_answered_truly) {
    for (std::size_t later = 0; later < 20; ++later) {
        BOOST_TEST_CONTEXT(later << " texts after the first refusal") {
            auto config = one_of_three();
            config.pending_bytes = 2000;
            Desk desk{config};
            say(desk, "warm", "warm");
            desk.run();
            static_cast<void>(desk.said());
            std::vector<ReplyClient> replies;
            std::size_t said = 0;
            const auto say_next = [&] {
                const auto name = "t" + std::to_string(said++);
                say(desk, name, name);
                for (auto& reply : desk.said()) replies.push_back(reply);
            };
            while (replies.empty() && said < 100) say_next();
            BOOST_REQUIRE(!replies.empty());
            for (std::size_t more = 0; more < later; ++more) say_next();
            desk.run();
            for (auto& reply : desk.said()) replies.push_back(reply);
            check_oks(replies, desk.output);
            // A busy is a refusal before anything was taken: what is refused so is not written.
            std::size_t wrong = 0;
            for (const auto& reply : replies) {
                const auto* error = std::get_if<TextError>(&reply.reply);
                if (!error || error->code != RejectCode::busy) continue;
                wrong += count(desk.output, "Mensagem: " + reply.connection.routing_id + "\n");
            }
            BOOST_TEST(wrong == 0U, wrong << " texts were told busy and written");
            BOOST_TEST(replies.size() == said);
        }
    }
}

BOOST_DATA_TEST_CASE(a_text_after_a_refusal_of_all_is_not_confused_with_one_that_was_decided_after_all,
                     data::make(refusals_of_all), code) {
    Desk desk;
    say(desk, "warm", "warm");
    desk.run();
    static_cast<void>(desk.said());
    say(desk, "old", "old");
    auto bid = desk.clients.make_bid(1'000'000, true);
    BOOST_REQUIRE(bid);
    desk.clients.refuse_all(code, "no epoch");
    BOOST_TEST((desk.only<TextError>().code == code));
    desk.clients.accept_all();
    say(desk, "new", "new");
    desk.decide({*bid});  // the others decided it; this node learns of it from the ledger
    desk.view_change();
    desk.run();
    const auto replies = desk.said();
    check_oks(replies, desk.output);
    BOOST_TEST(replies.size() == 1U);
    BOOST_TEST(count(desk.output, "Mensagem: new\n") == 1U);
}

BOOST_DATA_TEST_CASE(the_first_text_after_a_rejoin_does_not_stop_the_node, data::make(refusals_of_all), code) {
    Desk desk;
    say(desk, "warm", "warm");
    desk.run();
    static_cast<void>(desk.said());
    say(desk, "old", "old");
    auto bid = desk.clients.make_bid(1'000'000, true);
    BOOST_REQUIRE(bid);
    desk.clients.refuse_all(code, "no epoch");
    static_cast<void>(desk.said());
    desk.clients.accept_all();
    desk.decide({*bid});
    desk.view_change();
    desk.run();
    say(desk, "new", "new");
    desk.run();
    const auto replies = desk.said();
    check_oks(replies, desk.output);
    BOOST_TEST(count(desk.output, "Mensagem: new\n") == 1U);
}

BOOST_AUTO_TEST_CASE(a_text_that_was_written_before_a_snapshot_does_not_stop_the_node) {
    Desk desk;
    say(desk, "a", "a");
    desk.run();
    static_cast<void>(desk.said());
    say(desk, "b", "b");
    BOOST_REQUIRE(desk.clients.make_bid(1'000'000, true));
    // This node slept; the round was decided, and the journal trimmed: it learns of it by a snapshot alone.
    auto session = *desk.context.sessions.find(anonymous_client_id({0}, {0xabcd}));
    session.last = {2};
    session.sequence = {2};
    session.round = {3};
    desk.context.sessions.reset({{3}, {2}, 0, {{anonymous_client_id({0}, {0xabcd}), session}}});
    desk.context.tip.round = {3};
    desk.context.tip.sequence = {2};
    desk.view_change();
    desk.durable();
    desk.words();
    BOOST_TEST(desk.said().size() == 1U);  // an OK or an error, but an answer
}

BOOST_AUTO_TEST_CASE(after_its_session_retired_the_node_takes_texts_again) {
    Desk desk;
    for (const auto* text : {"a", "b", "c"}) {
        say(desk, text, text);
        desk.run();
    }
    BOOST_TEST(desk.said_of<TextOk>().size() == 3U);
    // More than sessions_max, and a day without a text.
    desk.apply({{1},
                desk.context.tip.round.next(),
                desk.context.tip.sequence.next(),
                0,
                0,
                0,
                {{anonymous_client_id({0}, {0xabcd}), std::nullopt, {}}}});
    desk.durable();
    std::size_t oks = 0;
    for (int attempt = 0; attempt < 4; ++attempt) {
        say(desk, "d", "d" + std::to_string(attempt));
        desk.run();
        oks += desk.said_of<TextOk>().size();
    }
    BOOST_TEST(oks >= 1U);
}

BOOST_AUTO_TEST_CASE(many_texts_of_many_sizes_are_each_answered_once) {
    auto config = one_of_three();
    config.bid_bytes = 500;
    Desk desk{config};
    std::map<std::string, int> answers;
    for (int index = 0; index < 300; ++index) {
        const auto name = "t" + std::to_string(index);
        say(desk, name, name);
        if (index % 7 == 0) desk.words();
        if (index % 11 == 0 && desk.clients.has_work()) desk.round();
        if (index % 13 == 0) desk.durable();
        if (index % 17 == 0) desk.view_change();
    }
    for (int turn = 0; turn < 50; ++turn) desk.run();
    const auto replies = desk.said();
    check_oks(replies, desk.output);
    for (const auto& reply : replies) ++answers[reply.connection.routing_id];
    BOOST_TEST(answers.size() == 300U);
    for (const auto& [name, times] : answers) BOOST_TEST(times == 1, name);
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_SUITE_END()

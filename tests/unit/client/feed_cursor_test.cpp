// Where a reader of feeds stands, whichever nodes answer: no byte doubled, none passed over.
#include <boost/test/unit_test.hpp>
#include <random>

#include "client/command/feed_cursor.hpp"
#include "client/command/last_rounds.hpp"
#include "client/command/output_reader.hpp"
#include "tests/unit/common/seed.hpp"

using namespace anel;
using namespace anel::command;

namespace {

FeedAnswer output(std::uint64_t offset, std::string_view bytes, std::uint64_t end, const char* ledger = "mine") {
    return FeedOutput{ledger, offset, end, Round{end}, bytes};
}
template <class Kind>
bool is(const FeedCursor::Verdict& verdict) {
    return std::holds_alternative<Kind>(verdict);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(a_feed_cursor)

BOOST_AUTO_TEST_CASE(it_moves_by_the_bytes_that_begin_where_it_stands) {
    FeedCursor cursor{5};
    BOOST_TEST((cursor.request() == FeedRead{"", 5, limits::feed_answer_bytes_max}));
    const auto verdict = cursor.take(output(5, "abc", 9));
    BOOST_REQUIRE(is<FeedCursor::GoOn>(verdict));
    BOOST_TEST(std::get<FeedCursor::GoOn>(verdict).bytes == "abc");
    BOOST_TEST((cursor.request() == FeedRead{"mine", 8, limits::feed_answer_bytes_max}));
    BOOST_TEST(cursor.end() == 9U);
}

BOOST_AUTO_TEST_CASE(a_gap_or_a_repeat_moves_nothing) {
    FeedCursor cursor{5};
    for (const std::uint64_t offset : {0U, 4U, 6U, 100U}) {
        BOOST_TEST(is<FeedCursor::GoElsewhere>(cursor.take(output(offset, "abc", 200))));
        BOOST_TEST((cursor.offset() == 5U));
    }
}

BOOST_AUTO_TEST_CASE(without_an_offset_it_begins_at_the_end) {
    FeedCursor cursor{std::nullopt};
    BOOST_TEST((cursor.request() == FeedRead{"", 0, 0}));
    BOOST_TEST(is<FeedCursor::GoOn>(cursor.take(output(0, "", 70))));
    BOOST_TEST((cursor.request() == FeedRead{"mine", 70, limits::feed_answer_bytes_max}));
}

BOOST_AUTO_TEST_CASE(from_the_oldest_on_it_begins_at_the_first_byte_that_was_not_removed) {
    FeedCursor cursor{std::nullopt, {}, FeedCursor::Start::oldest};
    BOOST_TEST((cursor.request() == FeedRead{"", 0, 0}));
    BOOST_TEST(is<FeedCursor::GoOn>(cursor.take(output(30, "", 70))));
    BOOST_TEST((cursor.request() == FeedRead{"mine", 30, limits::feed_answer_bytes_max}));
    BOOST_TEST(is<FeedCursor::GiveUp>(cursor.take(FeedReject{FeedRefusal::removed, "gone since"})));
}

BOOST_AUTO_TEST_CASE(another_ledger_ends_it_whoever_notices) {
    FeedCursor cursor{0};
    BOOST_TEST(is<FeedCursor::GoOn>(cursor.take(output(0, "a", 1))));
    BOOST_TEST(is<FeedCursor::GiveUp>(cursor.take(output(1, "b", 2, "yours"))));
    BOOST_TEST((cursor.offset() == 1U));
    BOOST_TEST(is<FeedCursor::GiveUp>(cursor.take(FeedReject{FeedRefusal::other_ledger, "another"})));
    FeedCursor told{0, "theirs"};
    BOOST_TEST(is<FeedCursor::GiveUp>(told.take(output(0, "a", 1))));
}

BOOST_AUTO_TEST_CASE(a_node_that_cannot_serve_now_is_left) {
    FeedCursor cursor{7};
    for (const auto code :
         {FeedRefusal::behind, FeedRefusal::too_many_readers, FeedRefusal::shutting_down, FeedRefusal::unreadable}) {
        BOOST_TEST(is<FeedCursor::GoElsewhere>(cursor.take(FeedReject{code, "why"})));
    }
    BOOST_TEST(is<FeedCursor::GiveUp>(cursor.take(FeedReject{FeedRefusal::malformed, "why"})));
    BOOST_TEST((cursor.offset() == 7U));
}

BOOST_AUTO_TEST_CASE(whatever_nodes_answer_what_was_taken_is_the_output) {
    ANEL_TELL_SEED();
    std::mt19937_64 random{testing::seed()};
    std::string text;
    for (int byte = 0; byte < 5000; ++byte) text += static_cast<char>('a' + random() % 26);
    FeedCursor cursor{0};
    std::string taken;
    while (taken.size() < text.size()) {
        // One in three answers is of another place: late, early, of a node that made it up.
        const auto wanted = *cursor.offset();
        const auto offset = random() % 3 != 0 ? wanted : random() % text.size();
        const auto bytes = std::string_view{text}.substr(offset, random() % 50);
        const auto answer = output(offset, bytes, text.size());
        const auto verdict = cursor.take(answer);
        const auto* go_on = std::get_if<FeedCursor::GoOn>(&verdict);
        BOOST_TEST((go_on != nullptr) == (offset == wanted));
        if (go_on != nullptr) taken += go_on->bytes;
    }
    BOOST_TEST((taken == text));
}

BOOST_AUTO_TEST_CASE(the_last_rounds_are_found_across_the_edges_of_blocks) {
    const auto separator = std::string{round_separator} + "\n";
    std::string text;
    std::vector<std::uint64_t> begins;
    for (std::size_t round = 0; round < 40; ++round) {
        begins.push_back(text.size());
        text += "Container 1 \nMensagem: " + std::string(20'000 + 977 * round, 'x') + "\n" + separator;
    }
    const auto read = [&](std::uint64_t begin, std::size_t size) { return std::optional{text.substr(begin, size)}; };
    for (std::size_t rounds = 1; rounds < begins.size(); ++rounds) {
        BOOST_TEST((offset_of_last_rounds(text.size(), rounds, read) == begins[begins.size() - rounds]));
    }
    BOOST_TEST((offset_of_last_rounds(text.size(), 0, read) == text.size()));
    BOOST_TEST((offset_of_last_rounds(text.size(), 1000, read) == 0U));
    BOOST_TEST((!offset_of_last_rounds(text.size(), 1, [](auto, auto) { return std::optional<std::string>{}; })));
}

BOOST_AUTO_TEST_SUITE_END()

// What a reader and a node say to each other reads back, and nothing else is read.
#include <boost/test/unit_test.hpp>
#include <limits>

#include "common/feed_protocol.hpp"
#include "tests/unit/common/seed.hpp"

using namespace anel;

namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

Bytes with_byte(Bytes bytes, std::size_t at, unsigned value) {
    bytes[at] = static_cast<std::byte>(value);
    return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(the_feed_codec)

BOOST_AUTO_TEST_CASE(a_request_reads_back) {
    for (const auto& request : {FeedRead{}, FeedRead{"a", 1, 2}, FeedRead{std::string(64, 'x'), largest, largest}}) {
        const auto read = decode_feed_request(encode(request));
        BOOST_REQUIRE(read.has_value());
        BOOST_TEST((*read == request));
    }
}

BOOST_AUTO_TEST_CASE(an_answer_reads_back) {
    const std::string text(300'000, 'm');
    for (const FeedAnswer& answer :
         {FeedAnswer{FeedOutput{"l", 0, 0, {}, ""}}, FeedAnswer{FeedOutput{"l", 7, 10, Round{3}, "abc"}},
          FeedAnswer{FeedOutput{"l", largest - text.size(), largest, Round{largest}, text}},
          FeedAnswer{FeedReject{FeedRefusal::behind, "why"}}, FeedAnswer{FeedReject{FeedRefusal::shutting_down, ""}}}) {
        const auto frame = encode(answer);
        const auto read = decode_feed_answer(frame);
        BOOST_REQUIRE(read.has_value());
        BOOST_TEST((*read == answer));
    }
}

BOOST_AUTO_TEST_CASE(each_refusal_has_a_name_of_its_own) {
    for (const auto refusal :
         {FeedRefusal::malformed, FeedRefusal::other_ledger, FeedRefusal::removed, FeedRefusal::behind,
          FeedRefusal::too_many_readers, FeedRefusal::shutting_down, FeedRefusal::unreadable}) {
        BOOST_TEST((feed_refusal_named(name_of(refusal)) == refusal));
    }
    BOOST_TEST(!feed_refusal_named("busy"));
}

BOOST_AUTO_TEST_CASE(whatever_is_cut_or_behind_is_refused) {
    const auto request = encode(FeedRead{"ledger", 1000, 70'000});
    for (std::size_t length = 0; length < request.size(); ++length) {
        BOOST_TEST(!decode_feed_request(BytesView{request}.first(length)).has_value());
    }
    auto longer = request;
    longer.push_back(std::byte{0});
    BOOST_TEST(decode_feed_request(longer).error().text == "bytes behind the request");
    const auto answer = encode(FeedAnswer{FeedOutput{"l", 7, 10, Round{3}, "abc"}});
    for (std::size_t length = 0; length < answer.size(); ++length) {
        BOOST_TEST(!decode_feed_answer(BytesView{answer}.first(length)).has_value());
    }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said) {
    const auto text_of = [](const Bytes& frame) { return decode_feed_request(frame).error().text; };
    const auto request = encode(FeedRead{"", 1, 2});
    BOOST_TEST(text_of(with_byte(request, 1, 2)) == "version 2 is not known here, only 1");
    BOOST_TEST(text_of(with_byte(request, 3, 'l')) == "unknown kind; read is the one request of the feed");
    BOOST_TEST(text_of(encode(FeedRead{std::string(65, 'x'), 0, 0})) ==
               "the ledger must be a string of at most 64 bytes, empty for any");
    BOOST_TEST(text_of(Bytes(257)) == "a request of 257 bytes, 256 are allowed");
    BOOST_TEST(text_of(Bytes{}) == "a message of the feed is an array [1, kind, ...]");
}

BOOST_AUTO_TEST_CASE(output_beyond_its_own_end_is_not_believed) {
    BOOST_TEST(!decode_feed_answer(encode(FeedAnswer{FeedOutput{"l", 7, 9, Round{3}, "abc"}})).has_value());
    BOOST_TEST(!decode_feed_answer(encode(FeedAnswer{FeedOutput{"l", 11, 10, Round{3}, ""}})).has_value());
}

BOOST_AUTO_TEST_CASE(random_changes_are_read_or_refused_and_nothing_worse) {
    ANEL_TELL_SEED();
    std::mt19937_64 random{testing::seed()};
    const auto request = encode(FeedRead{"ledger", 1000, 70'000});
    const auto answer = encode(FeedAnswer{FeedOutput{"l", 7, 10, Round{3}, "abc"}});
    for (int tries = 0; tries < 20'000; ++tries) {
        auto changed = with_byte(request, random() % request.size(), static_cast<unsigned>(random() % 256));
        if (const auto read = decode_feed_request(changed)) BOOST_TEST(read->ledger.size() <= 64U);
        changed = with_byte(answer, random() % answer.size(), static_cast<unsigned>(random() % 256));
        const auto read = decode_feed_answer(changed);
        const auto* output = read ? std::get_if<FeedOutput>(&*read) : nullptr;
        if (output != nullptr) BOOST_TEST(output->offset + output->bytes.size() <= output->end);
    }
}

BOOST_AUTO_TEST_SUITE_END()

#define BOOST_TEST_DYN_LINK
#include <boost/test/unit_test.hpp>

#include "ring/daemon/ack_timer.hpp"

using namespace anel;

namespace {

struct Timed {
    AckTimer timer;
    Histogram latencies;
    Histogram batches;

    static Instant at(std::int64_t us) { return Instant{Duration{us}}; }
    void push(const std::string& client, std::uint64_t first, std::size_t count, std::int64_t us) {
        const std::vector<Message> messages(count, Message{0, "text"});
        timer.arrived({{"c", false}, Blob::of(encode_push(client, Instance{1}, ClientSequence{first}, messages))},
                      at(us), batches);
    }
    void reply(ClientReply reply, std::int64_t us, const std::string& connection = "c") {
        timer.replied({{connection, false}, std::move(reply)}, at(us), latencies);
    }
    void ack(const std::string& client, std::uint64_t last, std::int64_t us) {
        reply(Ack{client, ClientSequence{last}, {}, {}}, us);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ack_timer, Timed)

BOOST_AUTO_TEST_CASE(a_push_is_timed_until_an_ack_covers_all_of_it) {
    push("a", 1, 3, 1000);
    ack("a", 2, 1500);
    BOOST_TEST(latencies.count() == 0U);
    ack("a", 3, 1700);
    BOOST_TEST(latencies.count() == 1U);
    BOOST_TEST(latencies.sum() == 700U);
    ack("a", 4, 9000);
    BOOST_TEST(latencies.count() == 1U);
    BOOST_TEST(batches.sum() == 3U);
}

BOOST_AUTO_TEST_CASE(one_push_of_a_client_is_timed_at_a_time) {
    push("a", 1, 1, 1000);
    push("a", 2, 1, 2000);
    ack("a", 2, 3000);
    BOOST_TEST(latencies.count() == 1U);
    BOOST_TEST(latencies.sum() == 2000U);
    BOOST_TEST(batches.count() == 2U);
}

BOOST_AUTO_TEST_CASE(who_is_refused_or_begins_anew_is_not_timed_from_the_first_try) {
    push("a", 1, 1, 1000);
    reply(Busy{"a", ClientSequence{1}, 5}, 1100);
    push("a", 1, 1, 5000);
    ack("a", 1, 5200);
    BOOST_TEST(latencies.sum() == 200U);
    push("a", 2, 1, 6000);
    reply(Welcome{"a", ClientSequence{1}, {}, {}}, 7000);
    ack("a", 2, 90'000);
    BOOST_TEST(latencies.count() == 1U);
}

BOOST_AUTO_TEST_CASE(plain_text_is_timed_by_its_connection) {
    const std::string_view text = "hello";
    timer.arrived({{"x", true}, Blob::copy(text)}, at(10), batches);
    reply(TextOk{Sequence{1}}, 40, "y");
    BOOST_TEST(latencies.count() == 0U);
    reply(TextOk{Sequence{1}}, 50, "x");
    BOOST_TEST(latencies.sum() == 40U);
    BOOST_TEST(batches.sum() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_no_push_is_passed_over) {
    for (const std::string_view frame : {std::string_view{"\x96", 1}, std::string_view{"\x92\x01\xa6status", 9}}) {
        timer.arrived({{"c", false}, Blob::copy(frame)}, at(0), batches);
    }
    BOOST_TEST(batches.count() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

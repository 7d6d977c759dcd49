#include <boost/test/unit_test.hpp>

#include "client/batch.hpp"
#include "common/client_protocol.hpp"

using namespace anel;
using namespace anel::client;

namespace {

std::vector<Message> messages_of(const Blob& frame, ClientSequence first) {
    const auto request = decode_request(frame.bytes(), {});
    BOOST_REQUIRE(request);
    const auto& push = std::get<PushRequest>(*request);
    BOOST_TEST(push.client_id == "id");
    BOOST_TEST(push.instance.value == UINT64_MAX);
    BOOST_TEST(push.first.value == first.value);
    std::vector<Message> messages;
    for (MessageReader reader{push}; reader.more();) messages.push_back(reader.next());
    return messages;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(batch)

BOOST_AUTO_TEST_CASE(the_codec_reads_what_a_batch_writes) {
    Batch batch{"id", {UINT64_MAX}};
    const std::string middle(300, 'm');
    const std::string large(70'000, 'l');
    batch.append(-1, "");
    batch.append(INT64_MAX, middle);
    batch.append(INT64_MIN, large);
    const auto frame = batch.frame({5});
    const auto messages = messages_of(frame, {5});
    BOOST_REQUIRE_EQUAL(messages.size(), 3U);
    BOOST_TEST((messages[0] == Message{-1, ""}));
    BOOST_TEST((messages[1] == Message{INT64_MAX, middle}));
    BOOST_TEST((messages[2] == Message{INT64_MIN, large}));
}

BOOST_AUTO_TEST_CASE(a_frame_given_out_keeps_its_bytes_when_the_batch_is_renumbered) {
    Batch batch{"id", {UINT64_MAX}};
    batch.append(1, "a");
    const auto before = batch.frame({5});
    const auto after = batch.frame({4});
    (void)messages_of(before, {5});
    (void)messages_of(after, {4});
}

BOOST_AUTO_TEST_CASE(a_split_batch_holds_the_same_messages) {
    Batch batch{"id", {UINT64_MAX}};
    for (int number = 0; number < 5; ++number) batch.append(number, std::to_string(number));
    const auto bytes = batch.messages_bytes();
    auto tail = batch.split_behind(2);
    BOOST_TEST(batch.count() == 2U);
    BOOST_TEST(tail.count() == 3U);
    BOOST_TEST(batch.messages_bytes() + tail.messages_bytes() == bytes);
    const auto frame = tail.frame({3});
    BOOST_TEST((messages_of(frame, {3}).front() == Message{2, "2"}));
}

BOOST_AUTO_TEST_SUITE_END()

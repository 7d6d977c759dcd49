// Whatever a client sends, it costs one reason why not: nothing is allocated, read past the end, or taken for good.
#include <boost/test/data/test_case.hpp>

#include "common/client_protocol.hpp"
#include "tests/unit/common/seed.hpp"

using namespace anel;
using namespace anel::testing;
namespace data = boost::unit_test::data;

namespace {

constexpr limits::ClientLimits defaults;

/// A frame of its own on the heap, so that a sanitizer sees the first byte read too far.
tl::expected<ClientRequest, BadRequest> decode(std::string_view frame, const limits::ClientLimits& limits = defaults) {
    const auto bytes = std::make_unique<std::byte[]>(frame.size());
    std::memcpy(bytes.get(), frame.data(), frame.size());
    auto request = decode_request({bytes.get(), frame.size()}, limits);
    if (request && std::holds_alternative<PushRequest>(*request)) {
        for (MessageReader reader{std::get<PushRequest>(*request)}; reader.more();) static_cast<void>(reader.next());
    }
    return request;
}

std::string text_of(const Bytes& bytes) { return std::string{as_text(bytes)}; }
std::string str(std::string_view text) {
    return std::string{static_cast<char>(0xa0U | text.size())} + std::string{text};
}

using namespace std::string_literals;
const std::string hello_head = "\x95\x01" + str("hello");
const std::string push_head = "\x96\x01" + str("push") + str("id") + "\x07\x01";

struct Row {
    const char* name;
    std::string frame;
    ErrorCode code = ErrorCode::malformed;
    friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

const std::vector<Row> rows{
    {"empty", ""},
    {"empty array", "\x90"},
    {"array of one", "\x91\x01"},
    {"a map", "\x82\x01" + str("bye")},
    {"a number", "\x01"},
    {"version is a string", "\x94"s + str("1") + str("bye") + str("id") + "\x07"},
    {"version 0", "\x94\x00"s + str("bye") + str("id") + "\x07", ErrorCode::unsupported},
    {"version 2", "\x94\x02" + str("bye") + str("id") + "\x07", ErrorCode::unsupported},
    {"version negative", "\x94\xff" + str("bye") + str("id") + "\x07"},
    {"version nil", "\x94\xc0" + str("bye") + str("id") + "\x07"},
    {"unknown kind", "\x92\x01" + str("dance"), ErrorCode::unsupported},
    {"empty kind", "\x92\x01\xa0", ErrorCode::unsupported},
    {"kind is binary",
     "\x94\x01\xc4\x03"
     "bye" +
         str("id") + "\x07"},
    {"kind is a number", "\x94\x01\x05" + str("id") + "\x07"},
    {"hello with too few fields", "\x94\x01" + str("hello") + str("id") + "\x07"},
    {"hello with too many fields", "\x97\x01" + str("hello") + str("id") + "\x07\x00\x00\x00"s},
    {"hello with a negative birth", "\x96\x01" + str("hello") + str("id") + "\x07\x00\xff"s},
    {"hello with a nil birth", "\x96\x01" + str("hello") + str("id") + "\x07\x00\xc0"s},
    {"hello with a birth and trailing bytes", "\x96\x01" + str("hello") + str("id") + "\x07\x00\x01\x01"s},
    {"hello with trailing bytes", hello_head + str("id") + "\x07\x00\x00"s},
    {"hello with an empty client id", hello_head + "\xa0\x07\x00"s},
    {"hello with a client id of 65 bytes", hello_head + "\xd9\x41" + std::string(65, 'i') + "\x07\x00"s},
    {"hello with a binary client id", hello_head + "\xc4\x02id\x07\x00"s},
    {"hello with a number as client id", hello_head + "\x05\x07\x00"s},
    {"hello with instance 0", hello_head + str("id") + "\x00\x00"s},
    {"hello with a negative instance", hello_head + str("id") + "\xff\x00"s},
    {"hello with a float as instance", hello_head + str("id") + "\xcb\x40\x1c\x00\x00\x00\x00\x00\x00\x00"s},
    {"hello with a string as instance", hello_head + str("id") + str("7") + "\x00"s},
    {"hello with negative sent", hello_head + str("id") + "\x07\xd0\x80"},
    {"hello with nil sent", hello_head + str("id") + "\x07\xc0"},
    {"bye with instance 0", "\x94\x01" + str("bye") + str("id") + "\x00"s},
    {"bye with trailing bytes", "\x94\x01" + str("bye") + str("id") + "\x07\x07"},
    {"status with a field", "\x93\x01" + str("status") + "\x01"},
    {"status with trailing bytes", "\x92\x01" + str("status") + "\x01"},
    {"push with sequence 0", "\x96\x01" + str("push") + str("id") + "\x07\x00\x91\x92\x01\xa1x"s},
    {"push with a negative sequence", "\x96\x01" + str("push") + str("id") + "\x07\xff\x91\x92\x01\xa1x"},
    {"push whose sequences overflow",
     "\x96\x01" + str("push") + str("id") + "\x07\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x91\x92\x01\xa1x"},
    {"push of no messages", push_head + "\x90"},
    {"push of a map", push_head + "\x81\x01\xa1x"},
    {"push of 2^32-1 messages declared", push_head + "\xdd\xff\xff\xff\xff\x92\x01\xa1x"},
    {"push of 65535 messages declared", push_head + "\xdc\xff\xff\x92\x01\xa1x"},
    {"push of two declared and one given", push_head + "\x92\x92\x01\xa1x"},
    {"push of one declared and two given", push_head + "\x91\x92\x01\xa1x\x92\x01\xa1x"},
    {"message of one element", push_head + "\x91\x91\x01"},
    {"message of three elements", push_head + "\x91\x93\x01\xa1x\x01"},
    {"message is not an array", push_head + "\x91\x01"},
    {"message with a string as timestamp", push_head + "\x91\x92\xa1x\xa1x"},
    {"message with a float as timestamp", push_head + "\x91\x92\xca\x00\x00\x00\x00\xa1x"s},
    {"message with a timestamp above int64", push_head + "\x91\x92\xcf\x80\x00\x00\x00\x00\x00\x00\x00\xa1x"s},
    {"message with a number as payload", push_head + "\x91\x92\x01\x05"},
    {"message with a nil payload", push_head + "\x91\x92\x01\xc0"},
    {"message with an extension as payload", push_head + "\x91\x92\x01\xd4\x01x"},
    {"payload of 4 GiB declared as str", push_head + "\x91\x92\x01\xdb\xff\xff\xff\xffx"},
    {"payload of 4 GiB declared as bin", push_head + "\x91\x92\x01\xc6\xff\xff\xff\xffx"},
    {"payload of 255 declared", push_head + "\x91\x92\x01\xc4\xffx"},
    {"payload is the unused byte", push_head + "\x91\x92\x01\xc1"},
    {"deep nesting of arrays", "\x92\x01" + std::string(100'000, '\x91')},
    {"deep nesting as client id", hello_head + std::string(100'000, '\x91')},
    {"deep nesting as payload", push_head + "\x91\x92\x01" + std::string(100'000, '\x91')},
    {"deep nesting of maps", "\x92\x01" + std::string(100'000, '\x81')},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(malformed)

BOOST_DATA_TEST_CASE(is_refused_with_a_reason, data::make(rows)) {
    const auto request = decode(sample.frame);
    BOOST_REQUIRE(!request);
    BOOST_TEST((request.error().code == sample.code));
    BOOST_TEST(!request.error().text.empty());
    BOOST_TEST(request.error().text.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_frame_cut_at_any_byte_or_with_one_more_is_refused) {
    for (const auto& bytes :
         {encode(HelloRequest{std::string(64, 'i'), {UINT64_MAX}, {UINT64_MAX}}),
          encode(HelloRequest{"id", {1}, {1}, {UINT64_MAX}}), encode(ByeRequest{"id", {1}}), encode(StatusRequest{}),
          encode_push("id", {1}, {1}, {{INT64_MIN, "x"}, {1, std::string(300, 'y')}})}) {
        const auto frame = text_of(bytes);
        BOOST_REQUIRE(decode(frame));
        for (std::size_t length = 0; length < frame.size(); ++length) BOOST_TEST(!decode(frame.substr(0, length)));
        for (const char more : {'\0', '\x90', '\xc1', '\xff'}) BOOST_TEST(!decode(frame + more));
    }
}

BOOST_AUTO_TEST_CASE(the_borders_of_what_is_allowed_are_taken) {
    BOOST_TEST(decode(hello_head + str("i") + "\x01\x00"s).has_value());
    BOOST_TEST(decode(hello_head + "\xd9\x40" + std::string(64, 'i') + "\xd0\x01\xd3\x00\x00\x00\x00\x00\x00\x00\x00"s)
                   .has_value());
    BOOST_TEST(decode(push_head + "\x91\x92\xd3\x80\x00\x00\x00\x00\x00\x00\x00\xa0"s).has_value());
    BOOST_TEST(decode(push_head + "\xdd\x00\x00\x00\x01\xdd\x00\x00\x00\x02\xe0\xdb\x00\x00\x00\x00"s).has_value());
}

BOOST_AUTO_TEST_CASE(a_message_over_the_limit_is_too_large_and_named) {
    const limits::ClientLimits limits{.message_bytes = 10, .batch_bytes = 200, .window_bytes = 1000};
    BOOST_TEST(decode(text_of(encode_push("id", {1}, {5}, {{1, "0123456789"}})), limits).has_value());
    const auto refused = decode(text_of(encode_push("id", {1}, {5}, {{1, "x"}, {1, "0123456789x"}})), limits);
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == ErrorCode::too_large));
    BOOST_TEST(refused.error().client_id == "id");
    BOOST_TEST(refused.error().sequence.value == 6U);
}

BOOST_AUTO_TEST_CASE(a_batch_over_the_limit_is_too_large_and_names_its_client_even_when_it_is_cut) {
    const limits::ClientLimits limits{.message_bytes = 100, .batch_bytes = 200, .window_bytes = 1000};
    const auto frame = text_of(encode_push("id", {1}, {5}, std::vector<Message>(50, Message{1, "0123456789"})));
    for (const auto& large : {frame, frame.substr(0, frame.size() - 1), frame + "x"}) {
        const auto refused = decode(large, limits);
        BOOST_REQUIRE(!refused);
        BOOST_TEST((refused.error().code == ErrorCode::too_large));
        BOOST_TEST(refused.error().client_id == "id");
        BOOST_TEST(refused.error().sequence.value == 5U);
    }
    BOOST_TEST((decode(std::string(201, 'x'), limits).error().code == ErrorCode::too_large));
}

BOOST_AUTO_TEST_CASE(what_can_be_read_of_the_sender_stands_beside_the_reason) {
    const auto bad = decode(push_head + "\x91\x01");
    BOOST_REQUIRE(!bad);
    BOOST_TEST(bad.error().client_id == "id");
    BOOST_TEST(bad.error().sequence.value == 1U);
    BOOST_TEST(decode("\x92\x01" + str("dance")).error().client_id.empty());
}

BOOST_AUTO_TEST_CASE(replies_that_are_cut_or_longer_or_of_another_shape_are_refused) {
    for (const auto& reply : std::vector<ClientReply>{
             Welcome{"id", {1}, {2}, {}}, Welcome{"id", {1}, {2}, {}, {3}}, Ack{"id", {1}, {2}, {3}},
             Busy{"id", {1}, 5}, Reject{"id", {1}, RejectCode::gap, "why"}, Byed{"id"}, StatusReply{"{}"}}) {
        const auto bytes = encode(reply);
        for (std::size_t length = 0; length < bytes.size(); ++length)
            BOOST_TEST(!decode_reply(BytesView{bytes}.first(length)));
        auto longer = bytes;
        longer.push_back(std::byte{0});
        BOOST_TEST(!decode_reply(longer));
        auto version = bytes;
        version[1] = std::byte{2};
        const auto unsupported = decode_reply(version);
        BOOST_REQUIRE(!unsupported);
        BOOST_TEST((unsupported.error().code == ErrorCode::unsupported));
        unsigned taken = 0;
        for (unsigned elements = 0; elements < 16; ++elements) {
            auto other = bytes;
            other[0] = static_cast<std::byte>(0x90U | elements);
            taken += decode_reply(other).has_value();
        }
        BOOST_TEST(taken == 1U,
                   "a reply of kind " << reply.index() << " was taken with " << taken << " sizes of its array");
    }
    BOOST_TEST(!decode_reply(as_bytes("OK 5")));
}

BOOST_AUTO_TEST_CASE(a_reply_of_a_kind_to_come_is_none_and_no_error) {
    for (const auto& frame : {"\x93\x01" + str("dance") + "\x01", "\x92\x01" + str("dance"),
                              "\x93\x01" + str("dance") + "\x81\xa1x\xc0", "\x92\x01\xa0"s}) {
        const auto reply = decode_reply(as_bytes(frame));
        BOOST_REQUIRE(reply);
        BOOST_TEST(!reply->has_value());
    }
    BOOST_TEST(!decode_reply(as_bytes("\x93\x02" + str("dance") + "\x01")));  // of another version
}

BOOST_AUTO_TEST_CASE(random_bytes_are_refused_or_read_but_never_past_their_end) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 50'000; ++turn) {
        auto frame = dice.once_in(2) ? dice.bytes(dice.roll(40)) : push_head + dice.bytes(dice.roll(30));
        static_cast<void>(decode(frame));
        static_cast<void>(decode_reply(as_bytes(frame)));
    }
}

BOOST_AUTO_TEST_SUITE_END()

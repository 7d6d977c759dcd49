// What is encoded is decoded as it was, every kind and every size of number.
#include <boost/test/unit_test.hpp>
#include <set>

#include "common/client_protocol.hpp"
#include "tests/unit/common/seed.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

constexpr limits::ClientLimits defaults;
constexpr RejectCode all_codes[]{
    RejectCode::too_large,     RejectCode::malformed,   RejectCode::conflict,  RejectCode::session_retired,
    RejectCode::gap,           RejectCode::hello_first, RejectCode::no_quorum, RejectCode::too_many_sessions,
    RejectCode::shutting_down, RejectCode::disk_full,   RejectCode::busy};

template <class Request>
void check_request(const Request& request) {
    const auto decoded = decode_request(encode(request), defaults);
    BOOST_REQUIRE(decoded);
    BOOST_REQUIRE(std::get<Request>(*decoded) == request);
}
void check_reply(const ClientReply& reply) {
    const auto decoded = decode_reply(encode(reply));
    BOOST_REQUIRE_MESSAGE(decoded, "kind " << reply.index());
    BOOST_REQUIRE(*decoded == reply);
}
std::uint64_t not_zero(Dice& dice) { return std::max<std::uint64_t>(dice.number(), 1); }

}  // namespace

BOOST_AUTO_TEST_SUITE(round_trip)

BOOST_AUTO_TEST_CASE(every_request_comes_back_as_it_was) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    check_request(StatusRequest{});
    for (int turn = 0; turn < 5000; ++turn) {
        const auto id = dice.bytes(1 + dice.roll(64));
        check_request(HelloRequest{id, {not_zero(dice)}, {dice.number()}});
        check_request(HelloRequest{id, {not_zero(dice)}, {dice.number()}, {dice.number()}});
        check_request(ByeRequest{id, {not_zero(dice)}});
    }
}

BOOST_AUTO_TEST_CASE(every_push_comes_back_as_it_was) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 3000; ++turn) {
        std::vector<std::string> payloads;
        std::vector<Message> messages;
        const std::size_t sizes[]{0, 1, 31, 32, 255, 256, 300, 65'535, 65'536};
        const auto count = 1 + dice.roll(dice.once_in(20) ? 70 : 5);
        for (std::uint64_t index = 0; index < count; ++index) {
            payloads.push_back(dice.bytes(dice.once_in(50) ? sizes[dice.roll(std::size(sizes))] : dice.roll(40)));
        }
        for (const auto& payload : payloads) messages.push_back({static_cast<Timestamp>(dice.number()), payload});
        const auto id = dice.bytes(1 + dice.roll(64));
        const auto first = std::min(not_zero(dice), UINT64_MAX - count);
        const auto instance = not_zero(dice);
        const auto frame = encode_push(id, {instance}, {first}, messages);
        const auto decoded = decode_request(frame, defaults);
        BOOST_REQUIRE(decoded);
        const auto& push = std::get<PushRequest>(*decoded);
        BOOST_REQUIRE(push.client_id == id);
        BOOST_REQUIRE_EQUAL(push.instance.value, instance);
        BOOST_REQUIRE_EQUAL(push.first.value, first);
        BOOST_REQUIRE_EQUAL(push.count, count);
        BOOST_REQUIRE_EQUAL(push.last().value, first + count - 1);
        std::vector<Message> read;
        for (MessageReader reader{push}; reader.more();) read.push_back(reader.next());
        BOOST_REQUIRE(read == messages);
    }
}

BOOST_AUTO_TEST_CASE(the_largest_batch_is_read_and_one_message_more_is_too_large) {
    const std::vector<Message> most(limits::batch_messages_max, Message{1, "x"});
    BOOST_TEST(decode_request(encode_push("id", {1}, {1}, most), defaults).has_value());
    const std::vector<Message> more(limits::batch_messages_max + 1, Message{1, "x"});
    const auto refused = decode_request(encode_push("id", {1}, {9}, more), defaults);
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == ErrorCode::too_large));
    BOOST_TEST(refused.error().client_id == "id");
    BOOST_TEST(refused.error().sequence.value == 9U);
}

BOOST_AUTO_TEST_CASE(every_reply_comes_back_as_it_was) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 3000; ++turn) {
        const auto id = dice.bytes(dice.roll(65));
        const auto text = dice.bytes(dice.roll(300));
        check_reply(Welcome{id, {dice.number()}, {dice.number()}, {dice.number(), dice.number(), dice.number()}});
        check_reply(Welcome{id, {dice.number()}, {dice.number()}, {}, {dice.number()}});
        check_reply(Ack{id, {dice.number()}, {dice.number()}, {dice.number()}});
        check_reply(Busy{id, {dice.number()}, dice.number()});
        check_reply(Reject{id, {dice.number()}, all_codes[dice.roll(std::size(all_codes))], text});
        check_reply(Byed{id});
        check_reply(StatusReply{text});
    }
}

BOOST_AUTO_TEST_CASE(plain_answers_are_lines_of_text) {
    BOOST_TEST(as_text(encode(ClientReply{TextOk{{42}}})) == "OK 42");
    BOOST_TEST(as_text(encode(ClientReply{TextError{RejectCode::no_quorum, "try another"}})) ==
               "ERR no_quorum try another");
    BOOST_TEST(is_plain_text(encode(ClientReply{TextOk{{42}}})));
}

BOOST_AUTO_TEST_CASE(reject_codes_have_names_of_their_own_and_four_are_final) {
    std::set<std::string_view> names;
    std::size_t final_codes = 0;
    for (const auto code : all_codes) {
        names.insert(name_of(code));
        BOOST_TEST((reject_code_named(name_of(code)) == code));
        final_codes += is_final(code);
    }
    BOOST_TEST(names.size() == std::size(all_codes));
    BOOST_TEST(final_codes == 4U);
    BOOST_TEST(is_final(RejectCode::too_large));
    BOOST_TEST(is_final(RejectCode::malformed));
    BOOST_TEST(is_final(RejectCode::conflict));
    BOOST_TEST(is_final(RejectCode::session_retired));
    for (const auto* unknown : {"", "nothing", "gapp", "ga", "Gap"})
        BOOST_TEST(!reject_code_named(unknown).has_value());
}

BOOST_AUTO_TEST_CASE(a_frame_is_plain_text_unless_it_begins_like_a_short_array) {
    BOOST_TEST(is_plain_text({}));
    for (unsigned byte = 0; byte < 256; ++byte) {
        const Bytes frame{static_cast<std::byte>(byte)};
        BOOST_TEST(is_plain_text(frame) == (byte < 0x90 || byte > 0x9f));
    }
    for (const auto& frame : {encode(HelloRequest{"a", {1}, {}}), encode(ByeRequest{"a", {1}}), encode(StatusRequest{}),
                              encode_push("a", {1}, {1}, {{1, "x"}})}) {
        BOOST_TEST(!is_plain_text(frame));
    }
}

BOOST_AUTO_TEST_SUITE_END()

// Our strict reader against msgpack-c: what ours takes, msgpack-c takes with the same values.
#include <boost/test/unit_test.hpp>
#include <msgpack.hpp>

#include "common/client_protocol.hpp"
#include "tests/unit/common/seed.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

constexpr limits::ClientLimits defaults;

std::optional<msgpack::object_handle> unpack(std::string_view frame) {
    try {
        std::size_t offset = 0;
        auto handle = msgpack::unpack(frame.data(), frame.size(), offset, nullptr, nullptr,
                                      msgpack::unpack_limit(70'000, 70'000, 1 << 23, 1 << 23, 1 << 23, 8));
        if (offset != frame.size()) return std::nullopt;
        return handle;
    } catch (const msgpack::unpack_error&) {
        return std::nullopt;
    }
}

std::string run_of(const msgpack::object& object) {
    if (object.type == msgpack::type::BIN) return {object.via.bin.ptr, object.via.bin.size};
    BOOST_REQUIRE_EQUAL(object.type, msgpack::type::STR);
    return {object.via.str.ptr, object.via.str.size};
}

void check_same(const ClientRequest& request, const msgpack::object& object) {
    BOOST_REQUIRE_EQUAL(object.type, msgpack::type::ARRAY);
    const auto* fields = object.via.array.ptr;
    BOOST_REQUIRE_GE(object.via.array.size, 2U);
    BOOST_REQUIRE_EQUAL(fields[0].as<std::uint64_t>(), 1U);
    const auto kind = run_of(fields[1]);
    const auto size = object.via.array.size;
    if (const auto* hello = std::get_if<HelloRequest>(&request)) {
        BOOST_REQUIRE(kind == "hello" && (size == 5 || size == 6) && run_of(fields[2]) == hello->client_id);
        BOOST_REQUIRE_EQUAL(size == 6 ? fields[5].as<std::uint64_t>() : 0, hello->birth.value);
        BOOST_REQUIRE_EQUAL(fields[3].as<std::uint64_t>(), hello->instance.value);
        BOOST_REQUIRE_EQUAL(fields[4].as<std::uint64_t>(), hello->sent.value);
    } else if (const auto* bye = std::get_if<ByeRequest>(&request)) {
        BOOST_REQUIRE(kind == "bye" && size == 4 && run_of(fields[2]) == bye->client_id);
        BOOST_REQUIRE_EQUAL(fields[3].as<std::uint64_t>(), bye->instance.value);
    } else if (std::holds_alternative<StatusRequest>(request)) {
        BOOST_REQUIRE(kind == "status" && size == 2);
    } else {
        const auto& push = std::get<PushRequest>(request);
        BOOST_REQUIRE(kind == "push" && size == 6 && run_of(fields[2]) == push.client_id);
        BOOST_REQUIRE_EQUAL(fields[3].as<std::uint64_t>(), push.instance.value);
        BOOST_REQUIRE_EQUAL(fields[4].as<std::uint64_t>(), push.first.value);
        BOOST_REQUIRE_EQUAL(fields[5].type, msgpack::type::ARRAY);
        BOOST_REQUIRE_EQUAL(fields[5].via.array.size, push.count);
        const auto* pair = fields[5].via.array.ptr;
        for (MessageReader reader{push}; reader.more(); ++pair) {
            const auto message = reader.next();
            BOOST_REQUIRE(pair->type == msgpack::type::ARRAY && pair->via.array.size == 2);
            BOOST_REQUIRE_EQUAL(pair->via.array.ptr[0].as<std::int64_t>(), message.timestamp);
            BOOST_REQUIRE(run_of(pair->via.array.ptr[1]) == message.payload);
        }
    }
}

/// One value in a random one of the encodings that msgpack has for it.
void put(std::string& out, Dice& dice, std::uint64_t number) {
    const int widths[]{0, 1, 2, 4, 8};
    const bool as_signed = dice.once_in(3);
    for (int index = static_cast<int>(dice.roll(5)); index < 5; ++index) {
        const int width = widths[index];
        if (width == 0) {
            if (number > 0x7f) continue;
            out += static_cast<char>(number);
            return;
        }
        if (width < 8 && (number >> (8 * width - (as_signed ? 1 : 0))) != 0) continue;
        const bool fits_signed = width < 8 || number <= static_cast<std::uint64_t>(INT64_MAX);
        const auto lead = (as_signed && fits_signed ? 0xd0U : 0xccU) + static_cast<unsigned>(index) - 1;
        out += static_cast<char>(lead);
        for (int byte = width - 1; byte >= 0; --byte) out += static_cast<char>(number >> (8 * byte));
        return;
    }
}
void put_head(std::string& out, Dice& dice, std::size_t size, unsigned fix, std::size_t fix_max, unsigned lead8,
              unsigned lead16) {
    const auto choice = dice.roll(4);
    if (choice == 0 && fix != 0 && size <= fix_max) {
        out += static_cast<char>(fix | size);
    } else if (choice <= 1 && lead8 != 0 && size <= 0xff) {
        out += static_cast<char>(lead8);
        out += static_cast<char>(size);
    } else if (choice <= 2 && size <= 0xffff) {
        out += static_cast<char>(lead16);
        out += static_cast<char>(size >> 8U);
        out += static_cast<char>(size);
    } else {
        out += static_cast<char>(lead16 + 1);
        for (int byte = 3; byte >= 0; --byte) out += static_cast<char>(size >> static_cast<unsigned>(8 * byte));
    }
}
void put_text(std::string& out, Dice& dice, std::string_view text) {
    put_head(out, dice, text.size(), 0xa0, 31, 0xd9, 0xda);
    out += text;
}
void put_array(std::string& out, Dice& dice, std::size_t size) { put_head(out, dice, size, 0x90, 15, 0, 0xdc); }

/// A request as another language's encoder may write it.
std::string request_of(Dice& dice) {
    std::string out;
    const auto kind = dice.roll(8);
    const auto id = dice.bytes(1 + dice.roll(64));
    const std::size_t sizes[]{5, 4, 2, 6, 6, 6, 6, 6};
    const char* kinds[]{"hello", "bye", "status", "push", "push", "push", "push", "push"};
    const bool with_birth = kind == 0 && dice.once_in(2);
    put_array(out, dice, sizes[kind] + (with_birth ? 1 : 0));
    put(out, dice, 1);
    put_text(out, dice, kinds[kind]);
    if (kind == 2) return out;
    put_text(out, dice, id);
    put(out, dice, std::max<std::uint64_t>(dice.number(), 1));
    if (kind == 0) put(out, dice, dice.number());
    if (with_birth) put(out, dice, dice.number());
    if (kind < 3) return out;
    const auto count = 1 + dice.roll(5);
    put(out, dice, std::clamp<std::uint64_t>(dice.number(), 1, UINT64_MAX - 10));
    put_array(out, dice, count);
    for (std::uint64_t index = 0; index < count; ++index) {
        put_array(out, dice, 2);
        if (dice.once_in(4)) out += static_cast<char>(0xe0 | dice.roll(32));
        else put(out, dice, dice.number() >> 1U);
        const auto payload = dice.bytes(dice.roll(50));
        if (dice.once_in(2)) {
            put_text(out, dice, payload);
        } else {
            put_head(out, dice, payload.size(), 0, 0, 0xc4, 0xc5);
            out += payload;
        }
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(differential)

BOOST_AUTO_TEST_CASE(requests_in_every_encoding_are_taken_by_both_with_the_same_values) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 20'000; ++turn) {
        const auto frame = request_of(dice);
        const auto request = decode_request(as_bytes(frame), defaults);
        BOOST_REQUIRE_MESSAGE(request, request.error().text);
        const auto handle = unpack(frame);
        BOOST_REQUIRE(handle);
        check_same(*request, handle->get());
    }
}

BOOST_AUTO_TEST_CASE(damaged_requests_that_ours_takes_msgpack_takes_with_the_same_values) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    std::size_t taken = 0;
    for (int turn = 0; turn < 100'000; ++turn) {
        auto frame = request_of(dice);
        for (auto left = 1 + dice.roll(2); left > 0; --left) {
            const auto at = dice.roll(frame.size());
            switch (dice.roll(4)) {
                case 0: frame[at] = static_cast<char>(dice.roll(256)); break;
                case 1: frame[at] = static_cast<char>(frame[at] ^ (1 << dice.roll(8))); break;
                case 2: frame.erase(at, 1); break;
                default: frame.insert(at, 1, static_cast<char>(dice.roll(256)));
            }
            if (frame.empty()) frame = "\x90";
        }
        const auto request = decode_request(as_bytes(frame), defaults);
        if (!request) continue;
        ++taken;
        const auto handle = unpack(frame);
        BOOST_REQUIRE(handle);
        check_same(*request, handle->get());
    }
    BOOST_TEST(taken > 1000U);  // else the test says nothing
}

BOOST_AUTO_TEST_CASE(damaged_replies_that_ours_takes_are_whole_msgpack) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    const std::vector<Bytes> replies{encode(ClientReply{Welcome{"id", {1}, {2}, {}}}),
                                     encode(ClientReply{Ack{"id", {1}, {2}, {3}}}),
                                     encode(ClientReply{Busy{"id", {1}, 5}}), encode(ClientReply{Byed{"id"}}),
                                     encode(ClientReply{Reject{"id", {1}, RejectCode::gap, "why"}})};
    for (int turn = 0; turn < 50'000; ++turn) {
        std::string frame{as_text(replies[dice.roll(replies.size())])};
        frame[dice.roll(frame.size())] = static_cast<char>(dice.roll(256));
        const auto reply = decode_reply(as_bytes(frame));
        if (reply && *reply) BOOST_REQUIRE(unpack(frame));
    }
}

BOOST_AUTO_TEST_SUITE_END()

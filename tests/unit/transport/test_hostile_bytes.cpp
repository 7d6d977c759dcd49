// Bytes from the network may be anything.
#include <boost/test/unit_test.hpp>

#include "ring/transport/wire.hpp"
#include "tests/unit/transport/random_messages.hpp"

using namespace anel;
using namespace anel::test;

namespace {

Bytes cut(BytesView bytes, std::size_t length) { return {bytes.begin(), bytes.begin() + static_cast<long>(length)}; }

/// A token with one bid of entry lengths and chunk lengths that need not fit.
Frames bid_of(const std::vector<std::uint32_t>& entries, const std::vector<std::size_t>& chunks) {
    Bid bid{NodeId{1}, {}, {}};
    for (const auto bytes : entries) bid.entries.push_back({Round{1}, bytes});
    for (const auto bytes : chunks) bid.chunks.push_back(Blob::of(Bytes(bytes, std::byte{1})));
    return encode_link(token_with({bid}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile_bytes)

BOOST_AUTO_TEST_CASE(a_control_message_cut_anywhere_is_refused) {
    RandomMessages random{seed_or(3)};
    for (int round = 0; round < 500; ++round) {
        const auto bytes = encode_control(random.control());
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            BOOST_REQUIRE(!decode_control(cut(bytes, length)));
        }
        auto longer = bytes;
        longer.push_back(std::byte{0});
        BOOST_REQUIRE(!decode_control(longer));
    }
}

BOOST_AUTO_TEST_CASE(a_token_cut_anywhere_is_refused) {
    RandomMessages random{seed_or(4)};
    for (int round = 0; round < 100; ++round) {
        const auto frames = encode_link(random.token());
        const auto header = frames.front().bytes();
        for (std::size_t length = 0; length < header.size(); ++length) {
            auto copy = frames;
            copy.front() = Blob::of(cut(header, length));
            BOOST_REQUIRE(!decode_link(copy, SIZE_MAX));
        }
        auto fewer = frames;
        fewer.pop_back();
        BOOST_REQUIRE(!decode_link(fewer, SIZE_MAX));
        auto more = frames;
        more.push_back(Blob::copy("x"));
        BOOST_REQUIRE(!decode_link(more, SIZE_MAX));
        for (std::size_t index = 1; index < frames.size(); ++index) {
            auto shorter = frames;
            shorter[index] = Blob::of(cut(frames[index].bytes(), frames[index].size() - 1));
            BOOST_REQUIRE(!decode_link(shorter, SIZE_MAX));
        }
    }
}

BOOST_AUTO_TEST_CASE(flipped_and_random_bytes_never_harm) {
    const auto seed = seed_or(5);
    BOOST_TEST_INFO_SCOPE("replay with ANEL_SEED=" << seed);
    RandomMessages random{seed};
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = encode_control(random.control());
        for (auto flips = 1 + random.below(4); flips > 0; --flips) {
            bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
        }
        if (const auto decoded = decode_control(bytes)) {
            BOOST_REQUIRE(decode_control(encode_control(*decoded)).value() == *decoded);
        }
        auto frames = encode_link(random.link());
        Bytes header{frames.front().bytes().begin(), frames.front().bytes().end()};
        header[random.below(header.size())] = static_cast<std::byte>(random.below(256));
        frames.front() = Blob::of(std::move(header));
        if (const auto decoded = decode_link(frames, SIZE_MAX)) {
            BOOST_REQUIRE(decode_link(encode_link(*decoded), SIZE_MAX).value() == *decoded);
        }
        Bytes rubbish(random.below(64));
        for (auto& one : rubbish) one = static_cast<std::byte>(random.below(256));
        static_cast<void>(decode_control(rubbish));
        static_cast<void>(decode_link({Blob::of(std::move(rubbish))}, SIZE_MAX));
    }
}

BOOST_AUTO_TEST_CASE(entries_must_fill_their_chunks) {
    const auto decodes = [](const std::vector<std::uint32_t>& entries, const std::vector<std::size_t>& chunks) {
        return decode_link(bid_of(entries, chunks), SIZE_MAX).has_value();
    };
    constexpr std::size_t large = 20'000;  // is not merged with its neighbours
    BOOST_TEST(decodes({}, {}));
    BOOST_TEST(decodes({3, 4}, {7}));
    BOOST_TEST(decodes({large, large}, {large, large}));
    BOOST_TEST(!decodes({3}, {4}));
    BOOST_TEST(!decodes({4}, {3}));
    BOOST_TEST(!decodes({3, 0}, {3}));
    BOOST_TEST(!decodes({3, 1}, {3}));
    BOOST_TEST(!decodes({large + 1, large - 1}, {large, large}));
    BOOST_TEST(!decodes({2 * large}, {large, large}));
    BOOST_TEST(!decodes({}, {large}));
}

BOOST_AUTO_TEST_CASE(a_node_bids_once) {
    const Bid bid{NodeId{1}, {{Round{1}, 1}}, {Blob::copy("x")}};
    BOOST_TEST(!decode_link(encode_link(token_with({bid, bid})), SIZE_MAX));
}

BOOST_AUTO_TEST_CASE(what_the_fields_may_not_be_is_refused) {
    const auto control = [](Control message, NodeId from = NodeId{1}, Incarnation incarnation = Incarnation{1}) {
        return decode_control(encode_control(ControlEnvelope{from, incarnation, std::move(message)})).has_value();
    };
    BOOST_TEST(control(Join{}));
    BOOST_TEST(!control(Join{}, NodeId{64}));
    BOOST_TEST(!control(Join{}, NodeId{1}, Incarnation{0}));
    BOOST_TEST(!control(Content{Epoch{1}, NodeId{64}}));
    BOOST_TEST(!control(Suspect{Epoch{1}, static_cast<SuspectReason>(7), NodeId{0}}));
    BOOST_TEST(!control(Answer{CallId{1}, Epoch{1}, std::string(257, 'x')}));
    const Member zero{NodeId{0}, Incarnation{1}, "a"};
    const Member one{NodeId{1}, Incarnation{1}, "b"};
    const auto told = [&](NodeId coordinator, std::vector<Member> members) {
        return control(ViewTold{View{Epoch{1}, coordinator, SegmentNumber{1}, std::move(members)}});
    };
    BOOST_TEST(told(NodeId{0}, {zero, one}));
    BOOST_TEST(!told(NodeId{0}, {}));
    BOOST_TEST(!told(NodeId{2}, {zero, one}));
    BOOST_TEST(!told(NodeId{0}, {one, zero}));
    BOOST_TEST(!told(NodeId{0}, {zero, zero}));
    BOOST_TEST(!decode_link(encode_link(LinkHello{Epoch{1}, NodeId{64}, Incarnation{1}}), SIZE_MAX));
    BOOST_TEST(!decode_link(encode_link(LinkHello{Epoch{1}, NodeId{1}, Incarnation{0}}), SIZE_MAX));
}

BOOST_AUTO_TEST_CASE(declared_counts_cost_no_memory) {
    // [1, "token", 1, 1, [], [2^32-1 elements and nothing of them
    const unsigned char bytes[] = {0x96, 1, 0xa5, 't', 'o', 'k', 'e', 'n', 1, 1, 0x90, 0xdd, 0xff, 0xff, 0xff, 0xff};
    BOOST_TEST(!decode_link({Blob::copy(std::as_bytes(std::span{bytes}))}, SIZE_MAX));
}

BOOST_AUTO_TEST_CASE(a_message_over_the_limit_is_refused) {
    const auto frames = bid_of({20'000}, {20'000});
    BOOST_TEST(decode_link(frames, 21'000).has_value());
    BOOST_TEST((decode_link(frames, 20'000).error().code == ErrorCode::too_large));
}

BOOST_AUTO_TEST_CASE(another_version_is_told_apart_from_rubbish) {
    auto bytes = encode_control(Who{1});
    bytes[1] = std::byte{2};
    BOOST_TEST((decode_control(bytes).error().code == ErrorCode::unsupported));
}

BOOST_AUTO_TEST_SUITE_END()

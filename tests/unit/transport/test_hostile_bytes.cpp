// Bytes from the network may be anything.
#include <boost/test/unit_test.hpp>

#include "ring/transport/wire.hpp"
#include "tests/unit/transport/random_messages.hpp"

using namespace anel;
using namespace anel::test;

namespace {

Bytes cut(BytesView bytes, std::size_t length) { return {bytes.begin(), bytes.begin() + static_cast<long>(length)}; }

/// A token with one bid of entry lengths and chunk lengths that need not fit.
Blob bid_of(const std::vector<std::uint32_t>& entries, const std::vector<std::size_t>& chunks) {
    Bid bid{NodeId{1}, {}, {}};
    for (const auto bytes : entries) bid.entries.push_back({Round{1}, bytes});
    for (const auto bytes : chunks) bid.chunks.push_back(Blob::of(Bytes(bytes, std::byte{1})));
    return Blob::of(encode_link(token_with({bid})));
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
        auto frame = encode_link(random.token());
        for (std::size_t length = 0; length < frame.size(); length += 1 + frame.size() / 2000) {
            BOOST_REQUIRE(!decode_link(Blob::of(cut(frame, length))));
        }
        BOOST_REQUIRE(!decode_link(Blob::of(cut(frame, frame.size() - 1))));
        frame.push_back(std::byte{'x'});
        BOOST_REQUIRE(!decode_link(Blob::of(std::move(frame))));
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
        bytes = encode_link(random.link());
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
        if (const auto decoded = decode_link(Blob::of(std::move(bytes)))) {
            BOOST_REQUIRE(decode_link(Blob::of(encode_link(*decoded))).value() == *decoded);
        }
        Bytes rubbish(random.below(64));
        for (auto& one : rubbish) one = static_cast<std::byte>(random.below(256));
        static_cast<void>(decode_control(rubbish));
        static_cast<void>(decode_link(Blob::of(std::move(rubbish))));
    }
}

BOOST_AUTO_TEST_CASE(entries_must_fill_what_the_bid_brings) {
    const auto decodes = [](const std::vector<std::uint32_t>& entries, const std::vector<std::size_t>& chunks) {
        return decode_link(bid_of(entries, chunks)).has_value();
    };
    BOOST_TEST(decodes({}, {}));
    BOOST_TEST(decodes({3, 4}, {7}));
    BOOST_TEST(decodes({20'000, 3}, {20'000, 3}));
    BOOST_TEST(!decodes({3}, {4}));
    BOOST_TEST(!decodes({4}, {3}));
    BOOST_TEST(!decodes({3, 0}, {3}));
    BOOST_TEST(!decodes({3, 1}, {3}));
    BOOST_TEST(!decodes({UINT32_MAX, 4}, {3}));
    BOOST_TEST(!decodes({}, {3}));
}

BOOST_AUTO_TEST_CASE(entries_must_fill_what_was_placed) {
    const auto decodes = [](const std::vector<std::uint32_t>& entries, std::uint64_t placed,
                            std::vector<Blob> chunks = {}) {
        Bid bid{NodeId{1}, {}, std::move(chunks), PlacedBytes{placed, 7}};
        for (const auto bytes : entries) bid.entries.push_back({Round{1}, bytes});
        return decode_link(Blob::of(encode_link(token_with({bid})))).has_value();
    };
    BOOST_TEST(decodes({3, 4}, 7));
    BOOST_TEST(!decodes({3, 4}, 8));
    BOOST_TEST(!decodes({3, 4}, 6));
    BOOST_TEST(!decodes({3, 0}, 3));
    BOOST_TEST(!decodes({}, 0));
    BOOST_TEST(!decodes({3}, 3, {Blob::copy("abc")}));  // here and away
}

BOOST_AUTO_TEST_CASE(a_node_bids_once) {
    const Bid bid{NodeId{1}, {{Round{1}, 1}}, {Blob::copy("x")}};
    BOOST_TEST(!decode_link(Blob::of(encode_link(token_with({bid, bid})))));
}

BOOST_AUTO_TEST_CASE(what_the_fields_may_not_be_is_refused) {
    const auto control = [](Control message, NodeId from = NodeId{1}, Incarnation incarnation = Incarnation{1}) {
        return decode_control(encode_control(ControlEnvelope{from, incarnation, std::move(message)})).has_value();
    };
    BOOST_TEST(control(Join{}));
    BOOST_TEST(!control(Join{}, NodeId{64}));
    BOOST_TEST(!control(Join{}, NodeId{1}, Incarnation{0}));
    BOOST_TEST(!control(Content{Epoch{1}, NodeId{64}}));
    BOOST_TEST(!control(Suspect{Epoch{1}, static_cast<SuspectReason>(8), NodeId{0}}));
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
    BOOST_TEST(!decode_link(Blob::of(encode_link(LinkHello{Epoch{1}, NodeId{64}, Incarnation{1}}))));
    BOOST_TEST(!decode_link(Blob::of(encode_link(LinkHello{Epoch{1}, NodeId{1}, Incarnation{0}}))));
}

BOOST_AUTO_TEST_CASE(declared_counts_cost_no_memory) {
    // [version, "token", 1, 1, [], [2^32-1 elements and nothing of them
    const unsigned char bytes[] = {
        0x96, ring_protocol_version, 0xa5, 't', 'o', 'k', 'e', 'n', 1, 1, 0x90, 0xdd, 0xff, 0xff, 0xff, 0xff};
    BOOST_TEST(!decode_link(Blob::copy(std::as_bytes(std::span{bytes}))));
}

BOOST_AUTO_TEST_CASE(another_version_is_told_apart_from_rubbish) {
    auto bytes = encode_control(Who{1});
    bytes[1] = static_cast<std::byte>(ring_protocol_version + 1);
    BOOST_TEST((decode_control(bytes).error().code == ErrorCode::unsupported));
}

BOOST_AUTO_TEST_SUITE_END()

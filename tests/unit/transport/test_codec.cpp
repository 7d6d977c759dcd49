// What is encoded comes back as it was, and large chunks are not copied.
#include <boost/test/unit_test.hpp>

#include "tests/unit/transport/random_messages.hpp"

using namespace anel;
using namespace anel::test;

BOOST_AUTO_TEST_SUITE(codec)

BOOST_AUTO_TEST_CASE(every_control_message_comes_back_as_it_was) {
    const auto seed = seed_or(1);
    BOOST_TEST_INFO_SCOPE("replay with ANEL_SEED=" << seed);
    RandomMessages random{seed};
    for (int round = 0; round < 20'000; ++round) {
        const auto frame = random.control();
        const auto bytes = encode_control(frame);
        BOOST_REQUIRE_LE(bytes.size(), limits::control_bytes_max);
        const auto decoded = decode_control(bytes);
        BOOST_REQUIRE_MESSAGE(decoded, "round " << round << ": " << decoded.error().text);
        BOOST_REQUIRE_MESSAGE(*decoded == frame, "round " << round);
    }
}

BOOST_AUTO_TEST_CASE(every_link_message_comes_back_as_it_was) {
    const auto seed = seed_or(2);
    BOOST_TEST_INFO_SCOPE("replay with ANEL_SEED=" << seed);
    RandomMessages random{seed};
    for (int round = 0; round < 2'000; ++round) {
        const auto message = random.link();
        const auto decoded = decode_link(encode_link(message), SIZE_MAX);
        BOOST_REQUIRE_MESSAGE(decoded, "round " << round << ": " << decoded.error().text);
        BOOST_REQUIRE_MESSAGE(merged(*decoded) == merged(message), "round " << round);
        // Once merged, nothing changes any more.
        BOOST_REQUIRE(decode_link(encode_link(*decoded), SIZE_MAX).value() == *decoded);
    }
}

BOOST_AUTO_TEST_CASE(the_largest_view_fits_a_control_message) {
    View view{.epoch = Epoch{UINT64_MAX}, .coordinator = {}, .segment = SegmentNumber{UINT64_MAX}, .members = {}};
    for (std::uint64_t id = 0; id < limits::nodes_max; ++id) {
        view.members.push_back({NodeId{id}, Incarnation{UINT64_MAX}, std::string(limits::address_bytes_max, 'x')});
    }
    const ControlFrame frame = ControlEnvelope{NodeId{63}, Incarnation{UINT64_MAX}, ViewTold{view}};
    BOOST_TEST((decode_control(encode_control(frame)).value() == frame));
}

BOOST_AUTO_TEST_CASE(large_chunks_are_forwarded_by_reference) {
    const auto chunk = Blob::of(Bytes(chunk_packed_below, std::byte{7}));
    const auto bytes = static_cast<std::uint32_t>(chunk.size());
    const auto frames = encode_link(token_with({{NodeId{0}, {{Round{1}, bytes}}, {chunk}}}));
    BOOST_REQUIRE_EQUAL(frames.size(), 2);
    BOOST_TEST(frames[1].bytes().data() == chunk.bytes().data());
}

BOOST_AUTO_TEST_CASE(many_small_chunks_travel_in_few_frames) {
    Bid bid{NodeId{3}, {}, {}};
    for (int index = 0; index < 10'000; ++index) {
        bid.entries.push_back({Round{1}, 100});
        bid.chunks.push_back(Blob::of(Bytes(100, std::byte{1})));
    }
    const auto token = token_with({bid});
    const auto frames = encode_link(token);
    BOOST_TEST(frames.size() < 20);
    BOOST_TEST((merged(*decode_link(frames, SIZE_MAX)) == merged(token)));
}

BOOST_AUTO_TEST_SUITE_END()

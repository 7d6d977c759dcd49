// What is encoded comes back as it was, and what bids bring is not copied.
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
        const auto decoded = decode_link(Blob::of(encode_link(message)));
        BOOST_REQUIRE_MESSAGE(decoded, "round " << round << ": " << decoded.error().text);
        BOOST_REQUIRE_MESSAGE(merged(*decoded) == merged(message), "round " << round);
        // Once merged, nothing changes any more.
        BOOST_REQUIRE(decode_link(Blob::of(encode_link(*decoded))).value() == *decoded);
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

BOOST_AUTO_TEST_CASE(a_received_bid_is_not_copied) {
    const auto chunk = Blob::of(Bytes(100'000, std::byte{7}));
    const auto frame = Blob::of(encode_link(token_with({{NodeId{0}, {{Round{1}, 100'000}}, {chunk}}})));
    const auto token = std::get<Token>(decode_link(frame).value());
    const auto bytes = token.open->bids[0].chunks[0].bytes();
    BOOST_TEST(
        (bytes.data() > frame.bytes().data() && bytes.data() + bytes.size() < frame.bytes().data() + frame.size()));
}

BOOST_AUTO_TEST_SUITE_END()

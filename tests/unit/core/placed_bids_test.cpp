// Bids that lie on the volume: who takes their frames off the token, who brings them back, and which are not believed.
#include "ring/core/placed_bids.hpp"

#include <map>

#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

/// Node 1's view of places that everybody shares.
struct Places : BidStore {
    std::map<NodeId, Bytes> bytes;
    bool refuses = false;
    bool put(std::span<const Blob> chunks) override {
        if (refuses) return false;
        auto& place = bytes[NodeId{1}];
        place.clear();
        for (const auto& chunk : chunks) place.insert(place.end(), chunk.bytes().begin(), chunk.bytes().end());
        return true;
    }
    Blob get(NodeId node, std::size_t most) override {
        const auto& place = bytes[node];
        return Blob::copy(BytesView{place}.first(std::min(most, place.size())));
    }
};

Token with_bids() {
    return {
        {1},
        {4},
        OpenRound{{3},
                  {0},
                  0b10,
                  false,
                  {bid_of(1, {{1, Blob::copy("one")}, {1, Blob::copy("two")}}), bid_of(2, {{1, Blob::copy("three")}})}},
        {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(placed_bids)

BOOST_AUTO_TEST_CASE(a_bidders_own_frames_leave_the_token_and_come_back_where_its_round_is_closed) {
    Places places;
    auto token = with_bids();
    place_bid(token, NodeId{1}, places);
    BOOST_TEST(token.open->bids[0].is_away());
    BOOST_TEST(token.open->bids[0].bytes() == 6U);
    BOOST_TEST(!token.open->bids[1].placed.has_value());
    fetch_bids(token, NodeId{2}, places);
    BOOST_TEST(token.open->bids[0].is_away());
    fetch_bids(token, NodeId{0}, places);
    BOOST_REQUIRE(!token.open->bids[0].is_away());
    BOOST_TEST(token.open->bids[0].chunks.front().text() == "onetwo");
}

BOOST_AUTO_TEST_CASE(a_bid_that_cannot_be_placed_travels) {
    Places places;
    places.refuses = true;
    auto token = with_bids();
    place_bid(token, NodeId{1}, places);
    BOOST_TEST((token == with_bids()));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_what_was_placed_stay_away) {
    const auto spoil = [](auto how) {
        Places places;
        auto token = with_bids();
        place_bid(token, NodeId{1}, places);
        how(places.bytes[NodeId{1}]);
        fetch_bids(token, NodeId{0}, places);
        return token.open->bids[0].is_away();
    };
    BOOST_TEST(!spoil([](Bytes&) {}));
    BOOST_TEST(!spoil([](Bytes& bytes) { bytes.push_back({}); }));  // of a longer bid before this one
    BOOST_TEST(spoil([](Bytes& bytes) { bytes.pop_back(); }));
    BOOST_TEST(spoil([](Bytes& bytes) { bytes.clear(); }));
    for (std::size_t at = 0; at < 6; ++at) BOOST_TEST(spoil([&](Bytes& bytes) { bytes[at] ^= std::byte{1}; }));
}

BOOST_AUTO_TEST_SUITE_END()

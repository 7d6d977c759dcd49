#include "ring/core/placed_bids.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace anel {
namespace {

std::uint64_t hash_of(std::span<const Blob> chunks) {
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (const auto& chunk : chunks) XXH3_64bits_update(&state, chunk.bytes().data(), chunk.size());
    return XXH3_64bits_digest(&state);
}

}  // namespace

void place_bid(Token& token, NodeId self, BidStore& store) {
    if (!token.open) return;
    for (auto& bid : token.open->bids) {
        if (bid.node != self || bid.placed || !store.put(bid.chunks)) continue;
        bid.placed = PlacedBytes{bid.bytes(), hash_of(bid.chunks)};
        bid.chunks.clear();
    }
}

void fetch_bids(Token& token, NodeId self, BidStore& store) {
    if (!token.open || token.open->opener != self) return;
    for (auto& bid : token.open->bids) {
        if (!bid.is_away()) continue;
        auto frames = store.get(bid.node, bid.placed->bytes);
        if (frames.size() == bid.placed->bytes && hash_of({&frames, 1}) == bid.placed->hash) {
            bid.chunks.push_back(std::move(frames));
        }
    }
}

}  // namespace anel

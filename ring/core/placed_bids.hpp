// Bids on the volume: the token carries a bid's entries and votes, its frames stay where every member can read them.
//
// A node has one bid in the ring at a time, so it has one place, which it writes over with its next bid. Nothing rests on
// what stands there: who closes a round takes a bid only if its bytes have the hash that the token tells. What a sleeper
// reads or writes late has another one, and costs an epoch at most (docs/decisions/0014).
#pragma once

#include <span>

#include "ring/core/messages.hpp"

namespace anel {

/// The places of all nodes of a ring, as one of them sees them.
class BidStore {
public:
    BidStore() = default;
    BidStore(const BidStore&) = delete;
    BidStore& operator=(const BidStore&) = delete;
    virtual ~BidStore() = default;
    /// Writes `chunks`, one behind another, to this node's own place. False: it cannot, and the bid travels.
    [[nodiscard]] virtual bool put(std::span<const Blob> chunks) = 0;
    /// The first `bytes` bytes at the place of `node`, or fewer, where there are not so many or they cannot be read.
    [[nodiscard]] virtual Blob get(NodeId node, std::size_t bytes) = 0;
};

/// Takes the frames of the node's own bid from the token to its place.
void place_bid(Token& token, NodeId self, BidStore& store);

/// Brings the frames back to the node that closes the token's round. What is not what its bidder placed stays away.
void fetch_bids(Token& token, NodeId self, BidStore& store);

}  // namespace anel

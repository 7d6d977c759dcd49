// What the rooms of the core share: what the node knows of the ledger, the time, and the list of actions.
#pragma once

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "common/assert.hpp"
#include "ring/core/config.hpp"
#include "ring/core/io.hpp"
#include "ring/core/patience.hpp"
#include "ring/core/sessions.hpp"

namespace anel {

struct Context {
    NodeConfig config;
    Incarnation incarnation;
    LedgerId ledger;
    std::mt19937_64 random;

    Moment now;
    Actions actions;

    SessionTable sessions;
    Tip tip;        ///< the last round applied here
    Round durable;  ///< every round up to here is known to be durable

    /// A bid that was placed on the volume could not be read there: for a while bids travel on the token.
    void bid_was_lost() { place_bids_after = now.steady + config.timing.token_timeout * 200; }
    Instant place_bids_after{};

    Patience patience{};
    /// A silence that lasts so long ends the epoch.
    [[nodiscard]] Duration overdue_after() const {
        return config.timing.token_timeout * patience.times(now.steady, config.timing.token_timeout);
    }

    template <class Act>
    void act(Act action) {
        actions.emplace_back(std::move(action));
    }
    void tell(NodeId to, Control message) { act(SendControl{to, std::move(message)}); }

    /// Applies the round after `tip`.
    void apply(const RoundResult& result) {
        ANEL_ASSERT(result.round == tip.round.next());
        for (const auto& change : result.changes) sessions.apply(change);
        tip.segment = result.segment;
        tip.round = result.round;
        tip.sequence = Sequence{tip.sequence.value + result.count};
        tip.wall_us = result.wall_us;
    }
};

/// Keeps the earlier of a deadline found so far and another.
inline void sooner(std::optional<Instant>& soonest, std::optional<Instant> other) {
    if (other && (!soonest || *other < *soonest)) soonest = other;
}

}  // namespace anel

// What one node is told about itself and its ring, and the times that follow from the token time-out.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "common/limits.hpp"

namespace anel {

enum class OutputFormat { classic, jsonl };

/// All intervals of the ring, computed from one. Time-outs start view changes; they never decide anything.
struct Timing {
    Duration token_timeout;  ///< no token and no sign of its holder for so long: the token is overdue
    Duration hop_resend;     ///< an unacked hop is sent again to the same successor
    Duration wake_resend;    ///< an unanswered wake
    Duration link_hello_resend;
    Duration call_stagger;       ///< the k-th candidate waits k times so long
    Duration call_rest;          ///< after a majority answered: wait so long for the rest
    Duration call_rest_cold;     ///< the same where no view was before
    Duration call_again;         ///< a call that got nowhere is repeated
    Duration answer_patience;    ///< who answered a call leaves the candidate so long alone
    Duration no_quorum_after;    ///< without a view for so long: clients are told
    Duration durable_recheck;    ///< acks that wait so long make the node read the durable word
    Duration asleep;             ///< between two steps: this process was not running
    Duration heartbeat;          ///< between two signs of life on a connection to a node
    Duration heartbeat_timeout;  ///< a connection without any is closed; long after the token was missed
    Duration leave_patience;     ///< after SIGTERM, for what was taken, unless it is set by itself

    [[nodiscard]] static constexpr Timing from(Duration token_timeout) {
        return Timing{
            .token_timeout = token_timeout,
            .hop_resend = token_timeout / 6,
            .wake_resend = token_timeout / 15,
            .link_hello_resend = token_timeout / 15,
            .call_stagger = token_timeout / 15,
            .call_rest = token_timeout / 15,
            .call_rest_cold = token_timeout / 2,
            .call_again = token_timeout / 2,
            .answer_patience = token_timeout / 2,
            .no_quorum_after = token_timeout * 3,
            .durable_recheck = token_timeout / 3,
            .asleep = token_timeout / 2,
            .heartbeat = token_timeout * 10 / 3,
            .heartbeat_timeout = token_timeout * 10,
            .leave_patience = std::min<Duration>(token_timeout * 10, leave_patience_max),
        };
    }
    static constexpr std::chrono::seconds leave_patience_max{60};
};

struct NodeConfig {
    NodeId self;
    std::set<NodeId> nodes;  ///< every configured node, itself included
    Timing timing = Timing::from(std::chrono::milliseconds{300});
    Duration linger{0};  ///< a round waits so long for bids of others
    OutputFormat format = OutputFormat::classic;
    limits::ClientLimits client_limits;
    std::size_t bid_bytes = 512 * 1024;  ///< of one bid, beyond its first batch
    std::size_t token_bytes =
        4 * 1024 * 1024;  ///< of all bids of a round, but for the opener's: one holder formats and writes them
    std::size_t place_bids_from = 16 * 1024;       ///< bids that large lie on the volume, not on the token; 0: none
    std::size_t pending_bytes = 64 * 1024 * 1024;  ///< taken and unwritten, of all clients of this node
    std::size_t clients = 65'536;                  ///< helloed client ids this node remembers
    std::size_t sessions = 100'000;                ///< of the ledger; beyond it the idlest retire
    std::int64_t session_idle_us = std::int64_t{24} * 3600 * 1'000'000;  ///< none younger retires
    std::uint64_t segment_bytes = 64 * 1024 * 1024;                      ///< the journal goes on in a new segment
    std::uint64_t checkpoint_bytes = 32 * 1024 * 1024;                   ///< of journal between two checkpoints
    std::uint64_t checkpoint_rounds = 10'000;
    [[nodiscard]] std::size_t majority() const { return nodes.size() / 2 + 1; }
};

}  // namespace anel

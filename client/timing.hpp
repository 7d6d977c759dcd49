// How long a client waits, and for what.
#pragma once

#include <chrono>

namespace anel::client {

/// All times come from the first: how long a node may be silent while it owes an answer.
struct Timing {
    std::chrono::microseconds answer_timeout = std::chrono::seconds{2};

    /// A connection that does not stand within it counts as failed.
    [[nodiscard]] std::chrono::microseconds connect_timeout() const { return answer_timeout / 4; }
    /// Wait before another try, once every node was tried in vain.
    [[nodiscard]] std::chrono::microseconds retry_pause() const { return answer_timeout / 20; }
    /// A node that answers (`busy`, say) but acks nothing for so long is left.
    [[nodiscard]] std::chrono::microseconds progress_timeout() const { return answer_timeout * 4; }
    /// ZMTP heartbeats find a frozen node while its kernel still keeps the connection.
    [[nodiscard]] std::chrono::microseconds heartbeat_interval() const { return answer_timeout / 16; }
    /// A heartbeat that is not answered within it ends the connection. With the interval before it, it is about the time
    /// in which the ring itself goes on without a frozen node.
    [[nodiscard]] std::chrono::microseconds heartbeat_timeout() const { return answer_timeout / 8; }
};

}  // namespace anel::client

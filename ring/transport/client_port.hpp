// The ROUTER clients speak to. It never waits for a client: an answer that finds no room is dropped, and the client
// asks again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ring/core/io.hpp"
#include "ring/transport/client_guard.hpp"
#include "ring/transport/sockets.hpp"

namespace anel {

struct ClientCounters {
    std::uint64_t received = 0;
    std::uint64_t answered = 0;
    std::uint64_t dropped = 0;    ///< answers to a client that does not read, or is gone
    std::uint64_t malformed = 0;  ///< messages of more frames than one (and the delimiter of a REQ)
};

class ClientPort {
public:
    /// Throws zmq::error_t where the address cannot be bound.
    ClientPort(zmq::context_t& context, const std::string& address, std::size_t frame_bytes_max, bool ipv6,
               ClientBounds bounds);

    void watch(PollSet& set) { set.add(socket_, readable_); }
    [[nodiscard]] bool readable() const { return readable_; }
    /// @return the next client's frame; none: there is none now.
    [[nodiscard]] std::optional<ClientArrived> next();
    void reply(const Connection& to, const ClientReply& reply);
    /// Answers that stand in the queue are still sent while the socket closes, for so long.
    void finish(std::chrono::milliseconds linger) {
        socket_.raw().set(zmq::sockopt::linger, static_cast<int>(linger.count()));
    }
    [[nodiscard]] const ClientCounters& counters() const { return counters_; }
    [[nodiscard]] GuardCounters guard_counters() const { return guard_->counters(); }

private:
    std::size_t frame_bytes_max_;
    Socket socket_;
    std::unique_ptr<ClientGuard> guard_;
    bool readable_ = false;
    ClientCounters counters_;
};

}  // namespace anel

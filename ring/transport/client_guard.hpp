// Keeps what clients can make libzmq hold within bounds: how many are connected, and how much of theirs waits unread.
//
// libzmq counts whole messages of one connection, not bytes and not connections, and a message of endless frames not at
// all. So a thread looks at the memory of this process; when that is above its bound, the connections that have most
// waiting are cut. A client that is cut connects and sends again, as after any lost connection.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "ring/transport/sockets.hpp"

namespace anel {

struct ClientBounds {
    std::size_t connections = 16'384;                      ///< at once; one more is cut
    std::uint64_t memory_bytes = std::uint64_t{1} << 30U;  ///< of this process
};
struct GuardCounters {
    std::uint64_t connections = 0;  ///< now
    std::uint64_t refused = 0;      ///< cut because there were too many
    std::uint64_t cut = 0;          ///< cut because too much of theirs waited
};

class ClientGuard {
public:
    /// @param of  bound to one TCP port; must outlive the guard
    ClientGuard(zmq::context_t& context, zmq::socket_t& of, ClientBounds bounds);
    ClientGuard(const ClientGuard&) = delete;
    ClientGuard& operator=(const ClientGuard&) = delete;
    ~ClientGuard();

    /// So many bytes of a connection were read from the socket. Called by the thread that owns the socket.
    void took(int descriptor, std::uint64_t bytes) {
        if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= taken_.size()) return;
        taken_[static_cast<std::size_t>(descriptor)].fetch_add(bytes, std::memory_order_relaxed);
    }
    [[nodiscard]] GuardCounters counters() const;

private:
    struct Known {
        std::uint64_t taken_before = 0;  ///< of connections that had this descriptor earlier
        bool cut = false;
    };
    void serve();
    void note(const MonitorEvent& event);
    void look();
    bool cut_down(std::uint64_t bytes);
    void cut(int descriptor, Known& known);
    [[nodiscard]] std::uint64_t taken(int descriptor) const;
    [[nodiscard]] std::uint64_t waiting(int descriptor, const Known& known) const;

    ClientBounds bounds_;
    std::uint16_t port_;
    std::vector<std::atomic<std::uint64_t>> taken_;  ///< by descriptor, since the start
    std::map<int, Known> connections_;
    std::chrono::milliseconds until_look_;
    std::atomic<std::uint64_t> connected_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> cut_{0};
    Monitor monitor_;
    int stopper_;
    std::thread thread_;  ///< last: it uses all the others
};

/// Resident memory of this process, in bytes.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace anel

// Opening sockets, and hearing from their monitors: the options of each kind stand here and nowhere else.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

namespace anel {

enum class SocketKind {
    client_port,   ///< ROUTER for clients
    control_port,  ///< ROUTER for other nodes
    control_peer,  ///< DEALER to one node's control port
    link_in,       ///< PAIR, bound; the predecessor connects
    link_out,      ///< PAIR to the successor
};

/// A ZeroMQ socket of one thread, none of whose operations waits.
///
/// Its descriptor (ZMQ_FD) tells only that libzmq's own threads left word for a socket that had read all there was. An
/// operation takes such word in on its way, and nothing shows it afterwards. So whoever wants to sleep on the
/// descriptor has to ask the socket itself first, after each operation but one: a receive that found nothing.
/// Asking is a system call or two; a node has twenty sockets, and a token's hop uses two of them.
class Socket {
public:
    explicit Socket(zmq::socket_t socket) : socket_{std::move(socket)}, descriptor_{socket_.get(zmq::sockopt::fd)} {}

    /// For options, bind and connect.
    [[nodiscard]] zmq::socket_t& raw() {
        settled_ = false;
        return socket_;
    }
    /// @return whether a frame was there. Throws zmq::error_t.
    [[nodiscard]] bool receive(zmq::message_t& frame) {
        settled_ = !socket_.recv(frame, zmq::recv_flags::dontwait).has_value();
        return !settled_;
    }
    /// @return whether there was room. Throws zmq::error_t (EHOSTUNREACH: a ROUTER's peer is gone).
    [[nodiscard]] bool send(zmq::message_t& frame, zmq::send_flags flags = zmq::send_flags::none) {
        settled_ = false;
        flags = flags | zmq::send_flags::dontwait;
        if (socket_.send(frame, flags)) return true;
        // A send looks once a millisecond at most for room that its peer has made meanwhile; this question looks now.
        static_cast<void>(socket_.get(zmq::sockopt::events));
        return socket_.send(frame, flags).has_value();
    }

private:
    friend class PollSet;
    [[nodiscard]] bool has_message() {
        settled_ = (socket_.get(zmq::sockopt::events) & ZMQ_POLLIN) == 0;
        return !settled_;
    }

    zmq::socket_t socket_;
    int descriptor_;
    bool settled_ = false;  ///< nothing is there, and whatever comes shows at the descriptor
};

/// Closes connections whose other end is silent, slowly: the token's own time-outs find silent peers.
struct Heartbeat {
    std::chrono::milliseconds every{1000};
    std::chrono::milliseconds timeout{3000};
};
/// @param message_bytes_max  of one frame; whoever sends a larger one is cut off.
[[nodiscard]] Socket open_socket(zmq::context_t& context, SocketKind kind, std::size_t message_bytes_max, bool ipv6,
                                 Heartbeat heartbeat = {});

/// Where a bound socket listens, also where the system chose.
[[nodiscard]] std::uint16_t bound_port(const zmq::socket_t& socket);

/// What a connection underneath a socket did.
enum class ConnectionEvent {
    opened,   ///< TCP stands (accepted or connected)
    greeted,  ///< the ZeroMQ handshake is done
    failed,   ///< connecting did not work; libzmq may try again
    closed,   ///< a connection that stood is gone
};
struct MonitorEvent {
    ConnectionEvent event = ConnectionEvent::opened;
    int descriptor = -1;  ///< of the TCP connection; may be used again for the next one
};

/// Listens to the connections of one socket. It must be drained always, and end before the socket does.
class Monitor {
public:
    Monitor(zmq::context_t& context, zmq::socket_t& of);
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;
    ~Monitor();
    [[nodiscard]] std::optional<MonitorEvent> next();
    [[nodiscard]] Socket& socket() { return events_; }

private:
    zmq::socket_t& of_;
    Socket events_;
};

/// What one turn of the loop waits for. It is filled anew for each turn.
class PollSet {
public:
    void clear() {
        descriptors_.clear();
        waiters_.clear();
    }
    void add(Socket& socket, bool& ready) { add(socket.descriptor_, {&socket, &ready}); }
    void add(int descriptor, bool& ready) { add(descriptor, {nullptr, &ready}); }
    /// Sets the `ready` of everything added: it is worth a try to receive. @param at_most  none: waits for ever.
    void wait(std::optional<std::chrono::milliseconds> at_most);

private:
    struct Waiter {
        Socket* socket = nullptr;  ///< none: a plain descriptor
        bool* ready = nullptr;
    };
    void add(int descriptor, Waiter waiter) {
        descriptors_.push_back({descriptor, POLLIN, 0});
        waiters_.push_back(waiter);
        *waiter.ready = false;
    }
    /// Asks the sockets whose descriptors do not tell all. @return whether one of them has something.
    [[nodiscard]] bool ask_unsettled();

    std::vector<pollfd> descriptors_;
    std::vector<Waiter> waiters_;
};

}  // namespace anel

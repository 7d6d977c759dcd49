// Opening sockets, and hearing from their monitors: the options of each kind stand here and nowhere else.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
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
/// @param message_bytes_max  of one frame; whoever sends a larger one is cut off.
[[nodiscard]] zmq::socket_t open_socket(zmq::context_t& context, SocketKind kind, std::size_t message_bytes_max,
                                        bool ipv6);

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
    [[nodiscard]] zmq::socket_ref socket() { return events_; }

private:
    zmq::socket_t& of_;
    zmq::socket_t events_;
};

/// What one turn of the loop waits for. It is filled anew for each turn.
class PollSet {
public:
    void clear() {
        items_.clear();
        ready_.clear();
    }
    void add(zmq::socket_ref socket, bool& ready) { add(zmq::pollitem_t{socket.handle(), 0, ZMQ_POLLIN, 0}, ready); }
    void add(int descriptor, bool& ready) { add(zmq::pollitem_t{nullptr, descriptor, ZMQ_POLLIN, 0}, ready); }
    /// Sets the `ready` of everything added. @param at_most  none: waits for ever.
    void wait(std::optional<std::chrono::milliseconds> at_most);

private:
    void add(zmq::pollitem_t item, bool& ready) {
        items_.push_back(item);
        ready_.push_back(&ready);
        ready = false;
    }
    std::vector<zmq::pollitem_t> items_;
    std::vector<bool*> ready_;
};

}  // namespace anel

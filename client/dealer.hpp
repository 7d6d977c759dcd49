// A DEALER to one numeric address, and what becomes of its connection.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <zmq.hpp>

namespace anel::client {

/// A socket lives from open to close; each open makes a fresh one, so nothing of an older connection can arrive.
/// Only numeric addresses come here: libzmq resolves names on its I/O thread at each reconnect.
class Dealer {
public:
    /// What the monitor tells of a connection that is gone or does not come.
    static constexpr int gone_events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_CONNECT_RETRIED |
                                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                       ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

    explicit Dealer(zmq::context_t& context) : context_{context} {}
    ~Dealer() { close(); }
    Dealer(const Dealer&) = delete;
    Dealer& operator=(const Dealer&) = delete;

    /// Throws zmq::error_t; what was open until then is left to close().
    /// @param events  ZMQ_EVENT_*, for the monitor
    /// @param prepare  sets further options before it connects
    void open(const std::string& endpoint, int events, const std::function<void(zmq::socket_t&)>& prepare = {});
    void close();
    [[nodiscard]] bool is_open() const { return static_cast<bool>(socket_); }

    [[nodiscard]] zmq::socket_t& socket() { return socket_; }
    [[nodiscard]] zmq::socket_t& monitor() { return monitor_; }

private:
    zmq::context_t& context_;
    zmq::socket_t socket_;
    zmq::socket_t monitor_;
    std::uint64_t opened_ = 0;
};

}  // namespace anel::client

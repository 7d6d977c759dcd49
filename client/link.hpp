// The one connection of a client: a DEALER with its monitor. Decides nothing.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "client/session.hpp"

namespace anel::client {

/// A socket lives from open to close; each open makes a fresh one, so nothing of an older link can arrive.
/// Only numeric addresses come here: libzmq resolves names on its I/O thread at each reconnect.
class Link {
public:
    Link(zmq::context_t& context, Timing timing) : context_{context}, timing_{timing} {}
    ~Link() { close(); }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// @return why not, or nothing.
    [[nodiscard]] std::optional<std::string> open(const std::string& endpoint);
    void close();
    [[nodiscard]] bool is_open() const { return static_cast<bool>(socket_); }
    void send(const Blob& frame);

    /// Appends what to poll: nothing while closed.
    void add_to(std::vector<zmq::pollitem_t>& items);
    /// Reads what came, events of the connection included, in order; at most `most` replies.
    void receive(std::size_t most, const std::function<void(Input)>& each);

private:
    std::optional<Input> next_event();
    std::optional<Input> next_reply();

    zmq::context_t& context_;
    Timing timing_;
    zmq::socket_t socket_;
    zmq::socket_t monitor_;
    std::uint64_t opened_ = 0;
};

}  // namespace anel::client

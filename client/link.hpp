// The one connection of a client. Decides nothing.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "client/dealer.hpp"
#include "client/session.hpp"

namespace anel::client {

class Link {
public:
    Link(zmq::context_t& context, Timing timing) : timing_{timing}, dealer_{context} {}

    /// @return why not, or nothing.
    [[nodiscard]] std::optional<std::string> open(const std::string& endpoint);
    void close() { dealer_.close(); }
    [[nodiscard]] bool is_open() const { return dealer_.is_open(); }
    void send(const Blob& frame);

    /// Appends what to poll: nothing while closed.
    void add_to(std::vector<zmq::pollitem_t>& items);
    /// Reads what came, events of the connection included, in order; at most `most` replies.
    void receive(std::size_t most, const std::function<void(Input)>& each);

private:
    std::optional<Input> next_event();
    std::optional<Input> next_reply();

    Timing timing_;
    Dealer dealer_;
};

}  // namespace anel::client

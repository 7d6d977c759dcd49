// What lies between the nodes: control messages that may do anything, and links that behave like PAIR over TCP.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "ring/core/io.hpp"
#include "tests/simulation/world.hpp"

namespace anel::simulation {

class Network {
public:
    /// `arrive` gives an input to a node, or loses it when the node is dead.
    using Arrive = std::function<void(NodeId to, Input input)>;
    using ReadCallWord = std::function<CallId(NodeId)>;

    Network(World& world, Arrive arrive, ReadCallWord call_word)
        : world_{world}, arrive_{std::move(arrive)}, call_word_{std::move(call_word)} {}
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    ~Network();

    void send_control(NodeId from, Incarnation incarnation, NodeId to, Control message);

    /// Returns the address.
    std::string bind(NodeId node, LinkId link);
    void connect(NodeId node, LinkId link, const std::string& address);
    void close(NodeId node, LinkId link);
    void send_link(NodeId node, LinkId link, LinkMessage message);
    /// The node's process ended: its sockets go, their peers hear of it.
    void node_died(NodeId node);

    // --- faults ----------------------------------------------------------------------------------
    void cut(NodeId from, NodeId to) { cut_.insert({from, to}); }
    void heal() { cut_.clear(); }
    [[nodiscard]] bool is_cut(NodeId from, NodeId to) const { return cut_.contains({from, to}); }
    void reset_some_link();

private:
    struct Endpoint;
    struct Pipe;
    using SharedEndpoint = std::shared_ptr<Endpoint>;
    using SharedPipe = std::shared_ptr<Pipe>;

    [[nodiscard]] Duration delay();
    void attempt(const SharedEndpoint& connector, const std::string& address);
    void put_on_wire(const SharedPipe& pipe, std::size_t from, LinkMessage message);
    void deliver(const SharedPipe& pipe, std::size_t from);
    void end(const SharedEndpoint& endpoint, Duration notice_after);
    void drop_later(const SharedPipe& pipe, std::size_t side, Duration after);
    void tell_dropped(const SharedEndpoint& endpoint);

    World& world_;
    Arrive arrive_;
    ReadCallWord call_word_;
    std::map<std::pair<NodeId, LinkId>, SharedEndpoint> endpoints_;
    std::map<std::string, SharedEndpoint> bound_;
    std::set<std::pair<NodeId, NodeId>> cut_;
};

}  // namespace anel::simulation

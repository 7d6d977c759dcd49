#include "tests/simulation/network.hpp"

#include <fmt/format.h>

namespace anel::simulation {

using namespace std::chrono_literals;

/// One node's end of a link.
struct Network::Endpoint {
    NodeId node;
    LinkId link;
    std::string address;  ///< where it is bound; empty for the connecting end
    SharedPipe pipe;
    std::size_t side = 0;
    bool closed = false;   ///< by its own node, or with it
    bool dropped = false;  ///< its node was told that the peer is gone
    std::deque<LinkMessage> unsent;
};

/// A connection between two ends. wire[k] carries what end k sent, in order.
struct Network::Pipe {
    std::array<SharedEndpoint, 2> ends;
    std::array<std::deque<LinkMessage>, 2> wire;
    std::array<SimTime, 2> last{};
};

Duration Network::delay() {
    if (world_.fault(world_.plan.slow_message)) return world_.random.between(0us, world_.plan.slow_delay);
    return world_.random.between(world_.plan.delay_min, world_.plan.delay_max);
}

void Network::send_control(NodeId from, Incarnation incarnation, NodeId to, Control message) {
    const auto copies = world_.fault(world_.plan.control_repeat) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        if (is_cut(from, to) || world_.fault(world_.plan.control_loss)) continue;
        world_.events.after(delay(), [this, from, incarnation, to, message] {
            const auto word = std::holds_alternative<Call>(message) ? call_word_(from) : CallId{};
            arrive_(to, ControlArrived{from, incarnation, message, word});
        });
    }
}

std::string Network::bind(NodeId node, LinkId link) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->node = node;
    endpoint->link = link;
    // Not unique between lives of a node, as ports are not: the core has to notice a wrong peer by itself.
    endpoint->address = fmt::format("sim:{}:{}", node.value, link.value);
    endpoints_[{node, link}] = endpoint;
    bound_[endpoint->address] = endpoint;
    return endpoint->address;
}

void Network::connect(NodeId node, LinkId link, const std::string& address) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->node = node;
    endpoint->link = link;
    endpoints_[{node, link}] = endpoint;
    world_.events.after(delay(), [this, endpoint, address] { attempt(endpoint, address); });
}

void Network::attempt(const SharedEndpoint& connector, const std::string& address) {
    if (connector->closed) return;
    const auto at = bound_.find(address);
    if (at == bound_.end() || at->second->pipe) {
        world_.events.after(delay() * 10, [this, connector] { tell_dropped(connector); });
        return;
    }
    const auto& binder = at->second;
    if (is_cut(connector->node, binder->node) || is_cut(binder->node, connector->node)) {
        world_.events.after(20ms, [this, connector, address] { attempt(connector, address); });
        return;
    }
    const auto pipe = std::make_shared<Pipe>();
    pipe->ends = {connector, binder};
    for (std::size_t side = 0; side < 2; ++side) {
        auto& endpoint = *pipe->ends[side];
        endpoint.pipe = pipe;
        endpoint.side = side;
        for (auto& message : endpoint.unsent) put_on_wire(pipe, side, std::move(message));
        endpoint.unsent.clear();
    }
}

void Network::send_link(NodeId node, LinkId link, LinkMessage message) {
    const auto at = endpoints_.find({node, link});
    if (at == endpoints_.end() || at->second->dropped) return;
    const auto& endpoint = at->second;
    if (!endpoint->pipe) {
        endpoint->unsent.push_back(std::move(message));
        return;
    }
    put_on_wire(endpoint->pipe, endpoint->side, std::move(message));
}

void Network::put_on_wire(const SharedPipe& pipe, std::size_t from, LinkMessage message) {
    if (world_.fault(world_.plan.link_loss)) return;
    auto& wire = pipe->wire[from];
    const auto copies = world_.fault(world_.plan.link_repeat) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        const bool swapped = !wire.empty() && world_.fault(world_.plan.link_swap);
        wire.insert(swapped ? std::prev(wire.end()) : wire.end(), message);
        auto& last = pipe->last[from];
        last = std::max(last, world_.now() + delay());
        world_.events.after(last - world_.now(), [this, pipe, from] { deliver(pipe, from); });
    }
}

void Network::deliver(const SharedPipe& pipe, std::size_t from) {
    const auto& sender = *pipe->ends[from];
    const auto& receiver = *pipe->ends[1 - from];
    auto& wire = pipe->wire[from];
    if (receiver.closed || receiver.dropped || wire.empty()) return;
    // TCP resends until the partition is over.
    if (is_cut(sender.node, receiver.node)) {
        world_.events.after(20ms, [this, pipe, from] { deliver(pipe, from); });
        return;
    }
    auto message = std::move(wire.front());
    wire.pop_front();
    arrive_(receiver.node, LinkArrived{receiver.link, std::move(message)});
}

void Network::close(NodeId node, LinkId link) {
    const auto at = endpoints_.find({node, link});
    if (at == endpoints_.end()) return;
    const auto endpoint = at->second;
    endpoints_.erase(at);
    end(endpoint, delay());
}

void Network::end(const SharedEndpoint& endpoint, Duration notice_after) {
    endpoint->closed = true;
    const auto at = bound_.find(endpoint->address);
    if (at != bound_.end() && at->second == endpoint) bound_.erase(at);
    if (!endpoint->pipe) return;
    // What was under way may still arrive before the peer hears of the end, or not.
    if (world_.random.chance(0.5)) endpoint->pipe->wire[endpoint->side].clear();
    drop_later(endpoint->pipe, 1 - endpoint->side, notice_after);
    endpoint->pipe.reset();
}

Network::~Network() {
    // Ends and their pipe own each other.
    for (const auto& [key, endpoint] : endpoints_) endpoint->pipe.reset();
}

void Network::drop_later(const SharedPipe& pipe, std::size_t side, Duration after) {
    world_.events.after(after, [this, pipe, side] {
        const auto& endpoint = pipe->ends[side];
        if (is_cut(pipe->ends[1 - side]->node, endpoint->node)) drop_later(pipe, side, 20ms);
        else tell_dropped(endpoint);
    });
}

void Network::tell_dropped(const SharedEndpoint& endpoint) {
    if (endpoint->closed || endpoint->dropped) return;
    endpoint->dropped = true;
    arrive_(endpoint->node, LinkDropped{endpoint->link});
}

void Network::node_died(NodeId node) {
    auto at = endpoints_.lower_bound({node, LinkId{0}});
    while (at != endpoints_.end() && at->first.first == node) {
        const auto endpoint = at->second;
        at = endpoints_.erase(at);
        const bool late = world_.fault(world_.plan.drop_late);
        end(endpoint, late ? world_.random.between(0us, Duration{2s}) : delay());
    }
}

void Network::reset_some_link() {
    std::vector<SharedPipe> pipes;
    for (const auto& [key, endpoint] : endpoints_) {
        if (endpoint->pipe && endpoint->side == 0) pipes.push_back(endpoint->pipe);
    }
    if (pipes.empty()) return;
    const auto& pipe = world_.random.pick(pipes);
    for (std::size_t side = 0; side < 2; ++side) {
        if (world_.random.chance(0.5)) pipe->wire[side].clear();
        drop_later(pipe, side, delay());
    }
}

}  // namespace anel::simulation

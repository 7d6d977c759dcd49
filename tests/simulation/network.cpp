#include "tests/simulation/network.hpp"

#include <fmt/format.h>

namespace anel::simulation {

using namespace std::chrono_literals;

namespace {

/// After which a link that nobody answers is given up, as the real ones are.
constexpr auto connect_timeout = 1s;

}  // namespace

/// One node's end of a link.
struct Network::Endpoint {
    Process process;
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
    const SentControl sent{from, incarnation, to, std::move(message), boot_};
    if (world_.plan.stale_control_mean.count() > 0) {
        old_control_.push_back(sent);
        if (old_control_.size() > 200) old_control_.pop_front();
    }
    const auto copies = world_.fault(world_.plan.control_repeat, Fault::control_repeated) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        if (is_cut(from, to) || world_.fault(world_.plan.control_loss, Fault::control_lost)) continue;
        const bool slow = world_.fault(world_.plan.slow_message, Fault::control_slow);
        const auto takes = slow ? world_.random.between(0us, world_.plan.slow_delay)
                                : world_.random.between(world_.plan.delay_min, world_.plan.delay_max);
        auto& last = last_control_[{from, to}];
        if (world_.faults && world_.now() + takes < last) world_.strike(Fault::control_out_of_order);
        last = std::max(last, world_.now() + takes);
        world_.events.after(takes, [this, sent] { deliver_control(sent); });
    }
}

void Network::deliver_control(const SentControl& sent) {
    if (sent.boot != boot_) return;
    const auto word = std::holds_alternative<Call>(sent.message) ? call_word_(sent.from) : CallId{};
    arrive_(resolve_(sent.to), ControlArrived{sent.from, sent.incarnation, sent.message, word});
}

void Network::power_cut() {
    ++boot_;
    old_control_.clear();
    old_link_messages_.clear();
}

void Network::repeat_stale_control() {
    if (old_control_.empty()) return;
    world_.strike(Fault::control_stale);
    deliver_control(world_.random.pick(old_control_));
}

std::string Network::bind(Process process, LinkId link) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->process = process;
    endpoint->node = node_of(process);
    endpoint->link = link;
    // Not unique between lives of a node, as ports are not: the core has to notice a wrong peer by itself.
    endpoint->address = fmt::format("sim:{}:{}", process.value, link.value);
    endpoints_[{process, link}] = endpoint;
    bound_[endpoint->address] = endpoint;
    if (world_.fault(world_.plan.stranger)) {
        world_.events.after(delay(), [this, endpoint] { visit_by_stranger(endpoint); });
    }
    return endpoint->address;
}

/// Somebody who knew this port in an earlier life of it speaks first, and goes.
void Network::visit_by_stranger(const SharedEndpoint& endpoint) {
    if (endpoint->closed || endpoint->pipe || old_link_messages_.empty()) return;
    world_.strike(Fault::link_stranger);
    for (auto count = world_.random.between(1, 3); count > 0; --count) {
        arrive_(endpoint->process, LinkArrived{endpoint->link, world_.random.pick(old_link_messages_)});
    }
}

void Network::deafen(NodeId node) {
    deaf_.insert(node);
    for (const auto& [key, endpoint] : endpoints_) {
        if (endpoint->node != node || !endpoint->pipe) continue;
        for (std::size_t side = 0; side < 2; ++side) drop_later(endpoint->pipe, side, delay());
    }
}

bool Network::is_hindered(const Endpoint& one, const Endpoint& other) const {
    return is_cut(one.node, other.node) || is_cut(other.node, one.node) || deaf_.contains(one.node) ||
           deaf_.contains(other.node);
}

void Network::connect(Process process, LinkId link, const std::string& address) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->process = process;
    endpoint->node = node_of(process);
    endpoint->link = link;
    endpoints_[{process, link}] = endpoint;
    const auto until = world_.now() + connect_timeout;
    world_.events.after(delay(), [this, endpoint, address, until] { attempt(endpoint, address, until); });
}

void Network::attempt(const SharedEndpoint& connector, const std::string& address, SimTime until) {
    if (connector->closed) return;
    const auto at = bound_.find(address);
    if (at == bound_.end() || at->second->pipe) {
        world_.events.after(delay() * 10, [this, connector] { tell_dropped(connector); });
        return;
    }
    const auto& binder = at->second;
    if (is_hindered(*connector, *binder)) {
        if (world_.now() >= until) return tell_dropped(connector);
        world_.events.after(20ms, [this, connector, address, until] { attempt(connector, address, until); });
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

void Network::send_link(Process process, LinkId link, LinkMessage message) {
    const auto at = endpoints_.find({process, link});
    if (at == endpoints_.end() || at->second->dropped) return;
    const auto& endpoint = at->second;
    if (world_.plan.stranger > 0) {
        old_link_messages_.push_back(message);
        if (old_link_messages_.size() > 100) old_link_messages_.pop_front();
    }
    if (!endpoint->pipe) {
        endpoint->unsent.push_back(std::move(message));
        return;
    }
    put_on_wire(endpoint->pipe, endpoint->side, std::move(message));
}

void Network::put_on_wire(const SharedPipe& pipe, std::size_t from, LinkMessage message) {
    if (world_.fault(world_.plan.link_loss, Fault::link_lost)) return;
    auto& wire = pipe->wire[from];
    const auto copies = world_.fault(world_.plan.link_repeat, Fault::link_repeated) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        const bool swapped = !wire.empty() && world_.fault(world_.plan.link_swap, Fault::link_swapped);
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
    arrive_(receiver.process, LinkArrived{receiver.link, std::move(message)});
}

void Network::close(Process process, LinkId link) {
    const auto at = endpoints_.find({process, link});
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
    arrive_(endpoint->process, LinkDropped{endpoint->link});
}

void Network::process_died(Process process) {
    auto at = endpoints_.lower_bound({process, LinkId{0}});
    while (at != endpoints_.end() && at->first.first == process) {
        const auto endpoint = at->second;
        at = endpoints_.erase(at);
        const bool late = world_.fault(world_.plan.drop_late, Fault::link_end_heard_late);
        end(endpoint, late ? world_.random.between(0us, Duration{2s}) : delay());
    }
}

void Network::reset_some_link() {
    std::vector<SharedPipe> pipes;
    for (const auto& [key, endpoint] : endpoints_) {
        if (endpoint->pipe && endpoint->side == 0) pipes.push_back(endpoint->pipe);
    }
    if (pipes.empty()) return;
    world_.strike(Fault::link_reset);
    const auto& pipe = world_.random.pick(pipes);
    for (std::size_t side = 0; side < 2; ++side) {
        if (world_.random.chance(0.5)) pipe->wire[side].clear();
        drop_later(pipe, side, delay());
    }
}

}  // namespace anel::simulation

#include "tests/simulation/mail.hpp"

#include <fmt/format.h>

#include <charconv>

namespace anel::simulation {

LineNumber Mail::open(NodeId node, OnReply on_reply) {
    lines_[++made_] = {node, std::move(on_reply), world_.random.chance(0.2)};
    return made_;
}

void Mail::send(LineNumber number, Blob frame) {
    const auto at = lines_.find(number);
    if (at == lines_.end()) return;
    auto& line = at->second;
    if (world_.fault(world_.plan.client_connection_loss, Fault::client_line_lost)) line.broken = true;
    if (line.broken) return;
    const bool slow = world_.fault(world_.plan.client_slow, Fault::client_frame_slow);
    const auto takes = slow ? world_.random.between(Duration{0}, world_.plan.client_slow_delay) : delay();
    line.last_up = std::max(line.last_up, world_.now() + takes);
    // What the client has sent may arrive although the client is gone meanwhile.
    const auto node = line.node;
    const auto delimiter = line.delimiter;
    world_.events.after(line.last_up - world_.now(), [this, number, node, delimiter, frame = std::move(frame)] {
        const auto life = life_of_(node);
        if (!life) return;
        // A DEALER connects again by itself; the ROUTER of the next life gives it another routing id.
        arrive_(node, ClientArrived{{fmt::format("{}.{}", number, *life), delimiter}, frame});
    });
}

void Mail::sleep(NodeId node, Blob frame) {
    const auto line = ++made_;
    const auto length = world_.random.between(Duration{0}, world_.plan.hello_sleep_max);
    world_.events.after(length, [this, line, node, frame = std::move(frame)] {
        const auto life = life_of_(node);
        if (!life) return;
        world_.strike(Fault::hello_slept);
        arrive_(node, ClientArrived{{fmt::format("{}.{}", line, *life), false}, frame});
    });
}

void Mail::reply(const Connection& connection, const ClientReply& reply) {
    LineNumber number = 0;
    const auto& id = connection.routing_id;
    std::from_chars(id.data(), id.data() + id.size(), number);
    const auto at = lines_.find(number);
    if (at == lines_.end() || at->second.broken) return;
    auto& line = at->second;
    if (line.delimiter != connection.delimiter) throw Violation{"a reply's delimiter is not its request's"};
    line.last_down = std::max(line.last_down, world_.now() + delay());
    world_.events.after(line.last_down - world_.now(), [this, number, reply] {
        const auto still = lines_.find(number);
        if (still == lines_.end()) return;
        // A copy: the client may close the line while it reads.
        const auto on_reply = still->second.on_reply;
        on_reply(reply);
    });
}

}  // namespace anel::simulation

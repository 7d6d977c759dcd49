#include "tests/simulation/vandal.hpp"

namespace anel::simulation {

using namespace std::chrono_literals;

void Vandal::tick() {
    if (!world_.faults) return;
    const NodeId node{world_.random.below(world_.plan.nodes)};
    const auto line = mail_.open(node, [](const ClientReply& reply) { heard(reply); });
    for (auto count = world_.random.between(1, 4); count > 0; --count) {
        world_.strike(Fault::hostile_frame);
        mail_.send(line, Blob::of(bad_frame()));
    }
    world_.events.after(world_.random.between(5ms, 100ms), [this] { tick(); });
}

/// What a client would send, under the id of one that lives, but never said hello on this line.
Bytes Vandal::good_frame() {
    const Instance instance{world_.random.number() | 1U};
    if (world_.random.chance(0.3)) return encode(ByeRequest{"c0", instance});
    return encode_push("c0", instance, ClientSequence{world_.random.between(1, 9)}, {{0, "forged by a vandal"}});
}

Bytes Vandal::bad_frame() {
    auto frame = good_frame();
    switch (world_.random.below(6)) {
        case 0: frame.resize(world_.random.between(1, frame.size() - 1)); return frame;
        case 1: frame.push_back(std::byte{0}); return frame;
        case 2: return frame;
        case 3: return encode(HelloRequest{std::string{anonymous_prefix} + "0:1", Instance{1}, {}});
        case 4:
            return {std::byte{0x93}, std::byte{0xdd}, std::byte{0xff},
                    std::byte{0xff}, std::byte{0xff}, std::byte{0xff}};
        default: break;
    }
    frame.resize(world_.random.between(2, 40));
    for (auto& byte : frame) byte = static_cast<std::byte>(world_.random.below(256));
    // From 0x90 to 0x9f: anything else would be plain text, and as such a message.
    frame.front() = static_cast<std::byte>(0x90 + world_.random.below(16));
    return frame;
}

void Vandal::heard(const ClientReply& reply) {
    if (std::holds_alternative<Ack>(reply) || std::holds_alternative<Byed>(reply) ||
        std::holds_alternative<TextOk>(reply) || std::holds_alternative<Welcome>(reply)) {
        throw Violation{"a vandal was answered as if it were a client"};
    }
}

}  // namespace anel::simulation

// What lies between clients and nodes: DEALER lines to the nodes' ROUTERs, in order, lost with either end.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "ring/core/io.hpp"
#include "tests/simulation/world.hpp"

namespace anel::simulation {

using LineNumber = std::uint64_t;

class Mail {
public:
    using Arrive = std::function<void(NodeId, Input)>;
    using LifeOf = std::function<std::optional<std::uint64_t>(NodeId)>;
    using OnReply = std::function<void(const ClientReply&)>;

    Mail(World& world, Arrive arrive, LifeOf life_of)
        : world_{world}, arrive_{std::move(arrive)}, life_of_{std::move(life_of)} {}

    // --- the client's side -----------------------------------------------------------------------
    [[nodiscard]] LineNumber open(NodeId node, OnReply on_reply);
    void send(LineNumber number, Blob frame);
    void close(LineNumber number) { lines_.erase(number); }
    /// A frame lies in the socket of a frozen node, which reads it when its sender has long gone elsewhere.
    void sleep(NodeId node, Blob frame);

    // --- the node's side -------------------------------------------------------------------------
    void reply(const Connection& connection, const ClientReply& reply);

private:
    struct Line {
        NodeId node;
        OnReply on_reply;
        bool delimiter = false;  ///< it is a REQ
        bool broken = false;     ///< nothing comes through any more, and nobody is told
        SimTime last_up{0};
        SimTime last_down{0};
    };
    [[nodiscard]] Duration delay() { return world_.random.between(Duration{30}, Duration{500}); }

    World& world_;
    Arrive arrive_;
    LifeOf life_of_;
    std::map<LineNumber, Line> lines_;
    LineNumber made_ = 0;
};

}  // namespace anel::simulation

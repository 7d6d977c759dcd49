// A client of a story: says what it is told to, to the node it is told, and keeps what is not acked.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "tests/simulation/judge.hpp"
#include "tests/simulation/mail.hpp"

namespace anel::simulation {

class StoryClient {
public:
    StoryClient(World& world, Mail& mail, Judge& judge, std::string id)
        : world_{world}, mail_{mail}, judge_{judge}, id_{std::move(id)}, instance_{world.random.number() | 1U} {}

    /// Says hello to a node, and pushes there what is not acked once it is welcome.
    void meet(NodeId node);
    void say(const std::string& payload);
    /// It has met nobody yet, or is welcome and everything is acked.
    [[nodiscard]] bool at_rest() const { return !line_ || (welcomed_ && outbox_.empty()); }

private:
    void push(const std::string& payload, ClientSequence sequence);
    void heard(LineNumber line, const ClientReply& reply);
    void on(const Welcome& welcome);
    void on(const Ack& ack);
    template <class Reply>
    void on(const Reply&) {
        throw Violation{"a client of a story is refused"};
    }

    World& world_;
    Mail& mail_;
    Judge& judge_;
    std::string id_;
    Instance instance_;
    NodeId node_;
    std::optional<LineNumber> line_;
    bool welcomed_ = false;
    ClientSequence acked_;
    std::deque<std::string> outbox_;  ///< behind `acked_`, in order
    ClientSequence sent_;
};

}  // namespace anel::simulation

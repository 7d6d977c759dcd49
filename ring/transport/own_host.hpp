// Where the others reach this node, in numbers. A container that was taken off its network and put back has another
// address, so the name is looked up again, on another thread, with every link that is offered.
#pragma once

#include <string>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "ring/transport/resolver.hpp"
#include "ring/transport/sockets.hpp"

namespace anel {

class OwnHost {
public:
    /// @param name     our own entry of the peers
    /// @param numeric  what it meant when our ports were bound
    OwnHost(NodeId self, std::string name, std::string numeric)
        : self_{self}, name_{std::move(name)}, numeric_{std::move(numeric)} {}

    /// As far as is known.
    [[nodiscard]] const std::string& numeric() const { return numeric_; }
    /// Begins to look the name up. Never waits: a ring whose links do not stand asks for new ones again and again, and
    /// a later one is told with what was found.
    void look_up(Instant now) { resolver_.ask(self_, name_, now); }
    /// The name means this now; empty: nobody knows it for the moment, and what it meant still holds.
    void found(const std::string& numeric);

    void watch(PollSet& set) { set.add(resolver_.descriptor(), ready_); }
    void receive();

private:
    NodeId self_;
    std::string name_;
    std::string numeric_;
    Resolver resolver_;
    bool ready_ = false;
};

}  // namespace anel

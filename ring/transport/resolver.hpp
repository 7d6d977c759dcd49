// Names of nodes, looked up on threads of their own: the name of a killed container can take seconds.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "ring/transport/mailbox.hpp"

namespace anel {

struct Resolved {
    NodeId node;
    std::string numeric_host;  ///< empty: nobody knows the name now
};

class Resolver {
public:
    /// Begins to look up the host of a node, unless that is under way or was done a moment ago.
    void ask(NodeId node, const std::string& host, Instant now);
    [[nodiscard]] std::vector<Resolved> take();
    [[nodiscard]] int descriptor() const { return answers_->descriptor(); }

private:
    struct Asked {
        bool under_way = false;
        Instant last{};
    };
    // Shared with the threads, which may outlive the resolver: a look-up cannot be cut short.
    std::shared_ptr<Mailbox<Resolved>> answers_ = std::make_shared<Mailbox<Resolved>>();
    std::map<NodeId, Asked> asked_;
};

}  // namespace anel

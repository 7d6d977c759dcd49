// Who is left out of views because links with it do not stand, and for how long.
#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "common/instant.hpp"
#include "ring/core/messages.hpp"

namespace anel {

/// Hints of one node, which others need not share: they bound how often a ring tries what does not work.
class Exclusions {
public:
    explicit Exclusions(NodeId self) : self_{self} {}

    /// For one token time-out, and twice as long each time until it was in a ring again; 64 at most.
    void add(NodeId node, Instant now, Duration token_timeout) {
        auto& one = nodes_[node];
        one.delay = std::clamp(one.delay * 2, token_timeout, token_timeout * 64);
        one.until = now + one.delay;
    }
    [[nodiscard]] bool has(NodeId node, Instant now) const {
        const auto found = nodes_.find(node);
        return found != nodes_.end() && now < found->second.until;
    }
    void clear() { nodes_.clear(); }
    void was_in_ring(NodeId node) { nodes_.erase(node); }

    /// The own link to this one does not stand. @return who is the cause: who has said it of two in turn is it itself.
    [[nodiscard]] NodeId cause_of_dead_link(NodeId successor) {
        const bool own_fault = accused_ && *accused_ != successor;
        accused_ = own_fault ? std::nullopt : std::optional{successor};
        return own_fault ? self_ : successor;
    }
    void own_links_stand() { accused_.reset(); }

    /// Until when this node keeps away itself.
    [[nodiscard]] std::optional<Instant> keeps_away_until(Instant now) const {
        return has(self_, now) ? std::optional{nodes_.at(self_).until} : std::nullopt;
    }
    /// Another one calls. @return this node keeps away. Where calls go on and on, the others cannot do without it.
    [[nodiscard]] bool keeps_away_from_call(Instant now, Duration token_timeout) {
        if (!has(self_, now)) return false;
        if (now > called_last_ + token_timeout) called_first_ = now;
        called_last_ = now;
        if (now < called_first_ + token_timeout * 2) return true;
        nodes_[self_].until = now;
        return false;
    }

private:
    struct Exclusion {
        Instant until;
        Duration delay{0};
    };
    NodeId self_;
    std::map<NodeId, Exclusion> nodes_;  ///< this node among them
    std::optional<NodeId> accused_;      ///< by this node, since it was last in a ring
    Instant called_first_;               ///< while it kept away, without a longer pause until `called_last_`
    Instant called_last_;
};

}  // namespace anel

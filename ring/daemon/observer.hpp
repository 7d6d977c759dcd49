// Watches the inputs and actions that pass between core and world: it counts, and says each view change and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ring/core/io.hpp"
#include "ring/core/node.hpp"

namespace anel {

struct RingCounters {
    std::uint64_t tokens_received = 0;
    std::uint64_t rounds_decided = 0;
    std::uint64_t messages_decided = 0;
    std::uint64_t output_bytes = 0;
    std::uint64_t rounds_fenced = 0;
    std::uint64_t rounds_disk_full = 0;
    std::uint64_t grants = 0;
    std::uint64_t grants_refused = 0;
    std::uint64_t views = 0;
    std::uint64_t client_frames = 0;
    std::uint64_t acks = 0;
    std::uint64_t rejects = 0;
    std::uint64_t busys = 0;
    std::uint64_t checkpoints = 0;
};

class Observer {
public:
    explicit Observer(NodeId self) : self_{self} {}
    void saw(const Input& input);
    void saw(const Action& action);
    /// After a step whose input may have changed the view.
    void after(const NodeStatus& status);
    /// Whether the status is worth looking at after this input: views do not change with each token.
    [[nodiscard]] bool may_change_view(const Input& input) const;
    [[nodiscard]] const RingCounters& counters() const { return counters_; }

private:
    NodeId self_;
    RingCounters counters_;
    std::string reason_ = "start";  ///< the last thing that may end a view
    std::optional<Epoch> epoch_;
    Phase phase_ = Phase::seeking;
};

[[nodiscard]] std::string_view name_of(SuspectReason reason);
/// "0 2 3"
[[nodiscard]] std::string names_of(const std::vector<Member>& members);

}  // namespace anel

// The protocol of one node as a pure state machine: an input and the time go in, actions come out.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string_view>

#include "ring/core/config.hpp"
#include "ring/core/io.hpp"

namespace anel {

enum class Phase {
    seeking,      ///< in no view; waits for its turn to call, answers others
    calling,      ///< candidate: called, gathers answers
    granting,     ///< candidate: the ledger is being asked
    entering,     ///< in a view whose token did not come yet
    operational,  ///< in a view whose token has come
    stopped,      ///< has left
};
[[nodiscard]] std::string_view name_of(Phase phase);

/// What a node knows of itself, for people: status, metrics, logs.
struct NodeStatus {
    Phase phase = Phase::seeking;
    bool leaving = false;
    bool taking_pushes = false;
    std::optional<View> view;
    Tip tip;
    Round durable;
    bool holder = false;
    bool parked = false;
    Duration overdue_after{};  ///< a silence that lasts so long ends the epoch (patience.hpp)
    std::size_t pending_messages = 0;
    std::size_t pending_bytes = 0;
    std::size_t sessions = 0;
    std::size_t clients = 0;
};

class Node {
public:
    /// @param loaded  everything the ledger holds; a node loads before it asks to join.
    Node(NodeConfig config, Incarnation incarnation, LedgerId ledger, const History& loaded, std::mt19937_64 random,
         Moment now);
    Node(Node&&) noexcept;
    Node& operator=(Node&&) noexcept;
    ~Node();

    /// Takes one input at `now`; returns what the shell must do, in this order. Never blocks.
    [[nodiscard]] Actions step(const Input& input, Moment now);

    /// When step(Ticked) is due if nothing else comes; none: nothing is awaited.
    [[nodiscard]] std::optional<Instant> next_wakeup() const;

    [[nodiscard]] NodeStatus status() const;
    /// The session table, for a checkpoint.
    [[nodiscard]] Snapshot snapshot() const;

private:
    class Body;
    std::unique_ptr<Body> body_;
};

}  // namespace anel

// The process around one node: performs its actions in order, freezes, dies, and starts again.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "ring/core/node.hpp"
#include "ring/core/placed_bids.hpp"
#include "tests/simulation/judge.hpp"
#include "tests/simulation/mail.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/sim_ledger.hpp"

namespace anel::simulation {

class Host : private BidStore {
public:
    Host(World& world, Process self, SimVolume& volume, Network& network, Mail& mail, Judge& judge)
        : world_{world},
          self_{self},
          node_id_{node_of(self)},
          volume_{volume},
          network_{network},
          mail_{mail},
          judge_{judge} {}

    void start();
    /// The process ends as by SIGKILL.
    void kill(std::string_view why);
    /// SIGSTOP for so long.
    void pause(Duration length);
    void resume();
    /// Somebody sets the wall clock.
    void jump_wall();
    void arrive(Input input);

    [[nodiscard]] NodeId node_id() const { return node_id_; }
    [[nodiscard]] bool alive() const { return node_.has_value(); }
    [[nodiscard]] bool paused() const { return paused_; }
    /// Counts the starts; names one life.
    [[nodiscard]] std::optional<std::uint64_t> life() const;
    [[nodiscard]] const std::optional<Node>& node() const { return node_; }
    [[nodiscard]] std::uint64_t inputs() const { return inputs_; }

private:
    struct Clock {
        std::int64_t offset_us = 0;
        std::int64_t drift_ppm = 0;
        std::int64_t wall_offset_us = 0;
        [[nodiscard]] Moment read(SimTime now) const;
        [[nodiscard]] SimTime when(Instant instant) const;
    };

    void run();
    void step(const Input& input);
    [[nodiscard]] bool struck();
    void arm_timer();
    void check_outcome_is_last(const Actions& actions) const;

    /// Goes on after `delay`, or when the process is no longer frozen; never in another life.
    void later(Duration delay, std::function<void()> what);
    void disk_step(Duration delay, std::function<void()> what);
    /// A step of a candidate, who may die in front of it.
    void grant_step(Fault death, Duration delay, std::function<void()> what);
    /// The blocking action under way has ended.
    void finish(Input outcome);

    void perform(const Action& action);
    void perform_send(const SendControl& send);
    void perform_link(SendLink send);
    [[nodiscard]] bool put(std::span<const Blob> chunks) override;
    [[nodiscard]] Blob get(NodeId node, std::size_t bytes) override;
    void ask_grant(const AskGrant& ask);
    void sync_sealed(Succession succession, std::function<void(Succession)> then);
    void granted(const AskGrant& ask, const Succession& succession);
    void decide(const DecideRound& decide);
    void write_output(Round round);
    void rotate(const RotateSegment& rotate);
    void enter_output(const SharedSegment& segment);
    void make_durable(const MakeDurable& make);
    void begin_sync();
    void start_sync(const SyncJob& job, std::function<void()> then);
    void checkpoint(Snapshot snapshot);
    void sync_output_for(Snapshot snapshot);
    void link_checkpoint(const Snapshot& snapshot, const Position& position);
    void read_then(Round applied, std::function<void(History)> then);
    [[nodiscard]] Duration disk(std::int64_t at_most_us);
    [[nodiscard]] Duration sync_time() { return world_.random.between(Duration{100}, world_.plan.sync_max); }
    void refuse_grant(bool disk_full = false);
    /// The disk refused, and the process ends. After the faults its supervisor starts it again.
    void end_by_disk(Fault kind);

    World& world_;
    Process self_;
    NodeId node_id_;
    SimVolume& volume_;
    Network& network_;
    Mail& mail_;
    Judge& judge_;

    // Of one life.
    std::optional<Node> node_;
    std::optional<SimLedger> ledger_;
    Incarnation incarnation_;
    Clock clock_;
    std::deque<Input> inbox_;
    std::deque<Input> outcomes_;
    std::deque<Action> actions_;
    std::deque<std::function<void()>> frozen_;  ///< what went on while the process was frozen
    bool syncing_ = false;
    std::optional<MakeDurable> next_sync_;
    bool busy_ = false;  ///< within a blocking action
    bool paused_ = false;
    std::optional<SimTime> timer_;

    std::uint64_t life_ = 0;
    std::uint64_t pauses_ = 0;
    Epoch paused_in_;  ///< the newest epoch when the pause began
    std::uint64_t inputs_ = 0;
    SimTime instant_{0};
    std::uint64_t inputs_this_instant_ = 0;
};

}  // namespace anel::simulation

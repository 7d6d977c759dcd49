// What one seed is about: how many nodes and clients, which faults and how often. Drawn from the seed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ring/core/config.hpp"
#include "ring/core/output_rotation.hpp"

namespace anel::simulation {

enum class FaultLevel { none, links, crash, all };
[[nodiscard]] std::optional<FaultLevel> fault_level_named(std::string_view name);
[[nodiscard]] std::string_view name_of(FaultLevel level);

/// A mean of zero: never.
struct Plan {
    std::size_t nodes = 3;
    std::size_t clients = 3;
    std::size_t text_clients = 1;
    bool rival = false;   ///< a second client has the first one's id
    bool vandal = false;  ///< somebody sends what no client sends
    std::uint64_t messages_each = 20;
    Duration fault_phase{0};
    Duration liveness_bound = std::chrono::seconds{30};

    // Between nodes.
    Duration delay_min = std::chrono::microseconds{50};
    Duration delay_max = std::chrono::microseconds{400};
    double slow_message = 0;  ///< takes up to `slow_delay`
    Duration slow_delay = std::chrono::milliseconds{50};
    double control_loss = 0;
    double control_repeat = 0;
    double link_loss = 0;  ///< a PAIR does not lose; the core should not care
    double link_repeat = 0;
    double link_swap = 0;
    Duration partition_mean{0};
    Duration link_reset_mean{0};
    double stranger = 0;                ///< a new link hears what belongs to an older one
    Duration stale_control_mean{0};     ///< a control message of long ago comes once more
    Duration deaf_mean{0};              ///< a node answers control messages, but none of its links stands
    double drop_late = 0;               ///< the peer of a dead node hears of it late
    double no_port = 0;                 ///< a link cannot be bound
    double client_connection_loss = 0;  ///< per frame
    double client_slow = 0;             ///< per frame, takes up to `client_slow_delay`
    Duration client_slow_delay = std::chrono::milliseconds{1500};

    // Nodes.
    Duration crash_mean{0};
    Duration pause_mean{0};
    Duration leave_mean{0};
    double pause_at_action = 0;
    double crash_at_action = 0;
    double freeze_in_disk = 0;  ///< in the middle of a decide, grant, rotation: between its steps
    double crash_in_disk = 0;
    double crash_in_grant = 0;  ///< a candidate dies in front of its next step
    Duration hunt_mean{0};      ///< holder after holder is killed
    Duration storm_mean{0};     ///< one node is killed and started again and again
    Duration all_killed_mean{0};
    Duration second_process_mean{0};
    double long_pause = 0;  ///< of pauses: longer than several epochs
    Duration pause_max = std::chrono::seconds{2};
    std::int64_t drift_ppm = 0;  ///< clocks run so much too fast or too slow at most
    double wall_jump = 0;        ///< at a start: the wall clock is anything
    Duration wall_jump_mean{0};  ///< while the node runs

    // Volume.
    OutputRotation rotation;
    Duration sync_max = std::chrono::milliseconds{4};
    Duration power_cut_mean{0};
    Duration disk_full_mean{0};
    double sync_failure = 0;
    double output_failure = 0;
    double output_half = 0;  ///< the node dies within the write of a round
    double grant_failure = 0;
    double late_checkpoint = 0;
    double bid_spoilt = 0;  ///< other bytes stand where a bid was placed

    // Clients.
    Duration client_crash_mean{0};
    Duration failover_mean{0};  ///< a client leaves its node with pushes under way
    double outbox_lost = 0.3;   ///< of client crashes
    double repeats = 0.02;      ///< an acked batch is pushed again
    double bye = 0;             ///< an idle client says bye
    double hello_sleeps = 0;    ///< of hellos: another node, which was frozen, reads it late
    Duration hello_sleep_max = std::chrono::seconds{3};

    NodeConfig config;  ///< of every node, `self` aside
};

struct PlanRange {
    std::size_t nodes_min = 1;
    std::size_t nodes_max = 7;
    FaultLevel level = FaultLevel::all;
};

/// The plan of a seed: each kind of fault is in it or not, at random, so that no kind hides another.
[[nodiscard]] Plan plan_of(std::uint64_t seed, const PlanRange& range);
/// No faults, tiny segments and checkpoints, few sessions: what takes months in life takes seconds.
[[nodiscard]] Plan plan_of_months();
[[nodiscard]] std::string describe(const Plan& plan);

}  // namespace anel::simulation

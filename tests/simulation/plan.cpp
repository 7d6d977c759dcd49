#include "tests/simulation/plan.hpp"

#include <fmt/format.h>

#include "tests/simulation/world.hpp"

namespace anel::simulation {

using namespace std::chrono_literals;

namespace {

void draw_link_faults(Plan& plan, Random& random) {
    if (random.chance(0.5)) plan.slow_message = 0.05;
    if (random.chance(0.2)) plan.slow_delay = 1500ms;
    if (random.chance(0.5)) plan.control_loss = random.chance(0.3) ? 0.3 : 0.05;
    if (random.chance(0.5)) plan.control_repeat = 0.1;
    if (random.chance(0.25)) plan.link_loss = 0.02;
    if (random.chance(0.25)) plan.link_repeat = 0.05;
    if (random.chance(0.25)) plan.link_swap = 0.05;
    if (random.chance(0.4)) plan.partition_mean = random.between(200ms, 2000ms);
    if (random.chance(0.4)) plan.link_reset_mean = random.between(100ms, 2000ms);
    if (random.chance(0.2)) plan.stranger = 0.2;
    if (random.chance(0.3)) plan.stale_control_mean = random.between(20ms, 500ms);
    if (random.chance(0.15)) plan.deaf_mean = random.between(300ms, 3000ms);
    if (random.chance(0.3)) plan.drop_late = 0.3;
    if (random.chance(0.1)) plan.no_port = 0.2;
    if (random.chance(0.5)) plan.client_connection_loss = 0.02;
    if (random.chance(0.3)) plan.client_slow = 0.02;
    if (random.chance(0.3)) plan.failover_mean = random.between(50ms, 1000ms);
    if (random.chance(0.2)) plan.rival = true;
    if (random.chance(0.2)) plan.vandal = true;
}

void draw_node_faults(Plan& plan, Random& random) {
    if (random.chance(0.5)) plan.crash_mean = random.between(100ms, 2000ms);
    if (random.chance(0.5)) plan.pause_mean = random.between(100ms, 2000ms);
    if (random.chance(0.2)) plan.leave_mean = random.between(300ms, 3000ms);
    if (random.chance(0.3)) plan.pause_at_action = random.chance(0.3) ? 0.02 : 0.001;
    if (random.chance(0.3)) plan.crash_at_action = random.chance(0.3) ? 0.005 : 0.0005;
    if (random.chance(0.4)) plan.freeze_in_disk = random.chance(0.3) ? 0.05 : 0.01;
    if (random.chance(0.2)) plan.crash_in_disk = 0.005;
    if (random.chance(0.2)) plan.crash_in_grant = 0.1;
    if (random.chance(0.15)) plan.hunt_mean = random.between(500ms, 3000ms);
    if (random.chance(0.15)) plan.storm_mean = random.between(500ms, 3000ms);
    if (random.chance(0.1)) plan.all_killed_mean = random.between(500ms, 3000ms);
    if (random.chance(0.1)) plan.second_process_mean = random.between(300ms, 2000ms);
    if (random.chance(0.5)) plan.pause_max = random.between(10ms, 500ms);
    if (random.chance(0.3)) plan.long_pause = 0.2;
    if (random.chance(0.5)) plan.drift_ppm = 20'000;
    if (random.chance(0.3)) plan.wall_jump = 0.5;
    if (random.chance(0.2)) plan.wall_jump_mean = random.between(100ms, 1000ms);
    if (random.chance(0.25)) plan.power_cut_mean = random.between(300ms, 3000ms);
    if (random.chance(0.5)) plan.client_crash_mean = random.between(100ms, 2000ms);
    if (random.chance(0.5)) plan.bye = 0.05;
}

void draw_disk_faults(Plan& plan, Random& random) {
    if (random.chance(0.3)) plan.disk_full_mean = random.between(200ms, 2000ms);
    if (random.chance(0.2)) plan.sync_failure = 0.01;
    if (random.chance(0.15)) plan.output_failure = 0.01;
    if (random.chance(0.15)) plan.output_half = 0.005;
    if (random.chance(0.15)) plan.grant_failure = 0.05;
    if (random.chance(0.3)) plan.late_checkpoint = 0.3;
    if (random.chance(0.2)) plan.bid_spoilt = 0.02;
}

/// Small limits make rotation, checkpoints and full tokens happen within seconds.
void draw_config(NodeConfig& config, Random& random) {
    if (random.chance(0.5)) config.segment_bytes = random.between(500, 20'000);
    if (random.chance(0.5)) config.checkpoint_rounds = random.between(3, 60);
    if (random.chance(0.3)) config.checkpoint_bytes = random.between(500, 20'000);
    if (random.chance(0.3)) config.bid_bytes = random.between(100, 4000);
    if (random.chance(0.2)) config.token_bytes = random.between(2000, 8000);
    if (random.chance(0.7)) config.place_bids_from = random.between(1, 300);
    if (random.chance(0.2)) config.pending_bytes = random.between(2000, 8000);
    if (random.chance(0.2)) config.linger = random.between(Duration{100}, Duration{3000});
    if (random.chance(0.2)) config.client_limits.window_bytes = random.between(1000, 4000);
    config.timing.leave_patience = random.between(100ms, 3000ms);
}

/// Files of the output that are full within seconds.
void draw_rotation(OutputRotation& rotation, Random& random) {
    if (random.chance(0.3)) rotation.bytes = random.between(300, 10'000);
    if (random.chance(0.2)) rotation.rounds = random.between(2, 40);
    if (random.chance(0.1)) rotation.seconds = 1;
}

/// Sessions retire within seconds. The clocks of writers say how idle one is, so none of them may be wrong by hours.
void retire_soon(Plan& plan, Random& random) {
    plan.config.sessions = random.between(1, 4);
    plan.config.session_idle_us = static_cast<std::int64_t>(random.between(1'000, 300'000));
    plan.wall_jump = 0;
    plan.wall_jump_mean = Duration{0};
}

/// Often where sessions end soon: what such a hello finds then is what it is about.
void draw_slept_hellos(Plan& plan, Random& random) {
    if (!random.chance(0.3)) return;
    plan.hello_sleeps = 0.3;
    if (random.chance(0.5)) plan.hello_sleep_max = random.between(50ms, 1000ms);
    if (random.chance(0.5)) retire_soon(plan, random);
}

}  // namespace

std::optional<FaultLevel> fault_level_named(std::string_view name) {
    for (const auto level : {FaultLevel::none, FaultLevel::links, FaultLevel::crash, FaultLevel::all}) {
        if (name_of(level) == name) return level;
    }
    return std::nullopt;
}

std::string_view name_of(FaultLevel level) {
    switch (level) {
        case FaultLevel::none: return "none";
        case FaultLevel::links: return "links";
        case FaultLevel::crash: return "crash";
        case FaultLevel::all: return "all";
    }
    return "?";
}

Plan plan_of(std::uint64_t seed, const PlanRange& range) {
    Random random{seed ^ 0x9e3779b97f4a7c15ULL};
    Plan plan;
    plan.nodes = random.between(range.nodes_min, range.nodes_max);
    plan.clients = random.between(1, 4);
    plan.text_clients = random.below(3);
    plan.messages_each = random.between(5, 60);
    plan.fault_phase = random.between(500ms, 4000ms);
    if (random.chance(0.3)) plan.sync_max = 30ms;
    draw_config(plan.config, random);
    for (std::uint64_t id = 0; id < plan.nodes; ++id) plan.config.nodes.insert(NodeId{id});
    if (range.level == FaultLevel::links || range.level == FaultLevel::all) draw_link_faults(plan, random);
    if (range.level == FaultLevel::crash || range.level == FaultLevel::all) draw_node_faults(plan, random);
    if (range.level == FaultLevel::all) draw_disk_faults(plan, random);
    if (random.chance(0.15)) retire_soon(plan, random);
    if (range.level == FaultLevel::crash || range.level == FaultLevel::all) draw_slept_hellos(plan, random);
    draw_rotation(plan.rotation, random);
    return plan;
}

Plan plan_of_months() {
    Plan plan;
    plan.nodes = 3;
    plan.clients = 8;
    plan.text_clients = 0;
    plan.messages_each = 4;
    plan.sync_max = 1ms;
    plan.config.segment_bytes = 20'000;
    plan.config.checkpoint_rounds = 200;
    plan.config.sessions = 20;
    plan.config.session_idle_us = 10'000;
    plan.config.clients = 50;
    for (std::uint64_t id = 0; id < plan.nodes; ++id) plan.config.nodes.insert(NodeId{id});
    return plan;
}

std::string describe(const Plan& plan) {
    std::string text =
        fmt::format("{} nodes, {}+{} clients, {} messages each, faults for {} ms:", plan.nodes, plan.clients,
                    plan.text_clients, plan.messages_each, plan.fault_phase.count() / 1000);
    const auto mean = [&](std::string_view name, Duration value) {
        if (value.count() > 0) text += fmt::format(" {}~{}ms", name, value.count() / 1000);
    };
    const auto part = [&](std::string_view name, double value) {
        if (value > 0) text += fmt::format(" {}={}", name, value);
    };
    mean("crash", plan.crash_mean);
    mean("pause", plan.pause_mean);
    mean("leave", plan.leave_mean);
    mean("power_cut", plan.power_cut_mean);
    mean("partition", plan.partition_mean);
    mean("hunt", plan.hunt_mean);
    mean("storm", plan.storm_mean);
    mean("all_killed", plan.all_killed_mean);
    mean("second_process", plan.second_process_mean);
    mean("deaf", plan.deaf_mean);
    mean("stale_control", plan.stale_control_mean);
    mean("wall_jump", plan.wall_jump_mean);
    mean("failover", plan.failover_mean);
    mean("link_reset", plan.link_reset_mean);
    mean("disk_full", plan.disk_full_mean);
    mean("client_crash", plan.client_crash_mean);
    part("pause_at_action", plan.pause_at_action);
    part("crash_at_action", plan.crash_at_action);
    part("freeze_in_disk", plan.freeze_in_disk);
    part("slow", plan.slow_message);
    part("control_loss", plan.control_loss);
    part("control_repeat", plan.control_repeat);
    part("no_port", plan.no_port);
    part("link_loss", plan.link_loss);
    part("link_repeat", plan.link_repeat);
    part("link_swap", plan.link_swap);
    part("sync_failure", plan.sync_failure);
    part("output_failure", plan.output_failure);
    part("output_half", plan.output_half);
    part("grant_failure", plan.grant_failure);
    part("late_checkpoint", plan.late_checkpoint);
    part("bid_spoilt", plan.bid_spoilt);
    part("crash_in_disk", plan.crash_in_disk);
    part("crash_in_grant", plan.crash_in_grant);
    part("long_pause", plan.long_pause);
    part("stranger", plan.stranger);
    part("client_slow", plan.client_slow);
    part("bye", plan.bye);
    part("hello_sleeps", plan.hello_sleeps);
    if (plan.rival) text += " rival";
    if (plan.vandal) text += " vandal";
    if (plan.config.sessions < 100) text += fmt::format(" sessions<={}", plan.config.sessions);
    return text;
}

}  // namespace anel::simulation

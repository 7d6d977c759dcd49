// The faults of the fault phase: which, how often, and what they leave behind for heal() to undo.
#include <fmt/format.h>

#include "tests/simulation/simulation.hpp"

namespace anel::simulation {

using namespace std::chrono_literals;

void Simulation::repeat_fault(Duration mean, std::function<void()> strike) {
    if (mean.count() == 0) return;
    world_.events.after(world_.random.between(0us, mean * 2), [this, mean, strike = std::move(strike)] {
        if (!world_.faults) return;
        strike();
        repeat_fault(mean, strike);
    });
}

void Simulation::begin_faults() {
    const auto& plan = world_.plan;
    repeat_fault(plan.crash_mean, [this] { crash_one(); });
    repeat_fault(plan.pause_mean, [this] { pause_one(); });
    repeat_fault(plan.leave_mean, [this] { any_host().arrive(LeaveAsked{}); });
    repeat_fault(plan.hunt_mean, [this] { hunt(world_.random.between(3, 8)); });
    repeat_fault(plan.storm_mean, [this] { storm(any_host(), world_.random.between(3, 12)); });
    repeat_fault(plan.all_killed_mean, [this] { kill_all(); });
    repeat_fault(plan.second_process_mean, [this] { start_second_process(); });
    repeat_fault(plan.wall_jump_mean, [this] { any_host().jump_wall(); });
    repeat_fault(plan.power_cut_mean, [this] { cut_power(); });
    repeat_fault(plan.partition_mean, [this] { part(); });
    repeat_fault(plan.link_reset_mean, [this] { network_.reset_some_link(); });
    repeat_fault(plan.deaf_mean, [this] { deafen_one(); });
    repeat_fault(plan.stale_control_mean, [this] { network_.repeat_stale_control(); });
    repeat_fault(plan.disk_full_mean, [this] { fill_disk(); });
    repeat_fault(plan.client_crash_mean, [this] {
        if (!clients_.empty()) world_.random.pick(clients_)->crash();
    });
    repeat_fault(plan.failover_mean, [this] {
        if (!clients_.empty()) world_.random.pick(clients_)->fail_over();
    });
    // Whoever is down comes back some time, whatever took it down.
    repeat_fault(50ms, [this] {
        for (auto& host : hosts_) {
            if (!host->alive() && world_.random.chance(0.2)) host->start();
        }
    });
}

void Simulation::crash_one() {
    auto& host = any_host();
    if (!host.alive()) return;
    world_.strike(Fault::killed);
    host.kill("killed");
    if (world_.random.chance(0.3)) host.start();
}

void Simulation::pause_one() {
    world_.strike(Fault::frozen);
    const bool is_long = world_.random.chance(world_.plan.long_pause);
    any_host().pause(is_long ? world_.random.between(1s, Duration{4s})
                             : world_.random.between(100us, world_.plan.pause_max));
}

/// Kills whoever holds the token or starts one, again and again, as soon as the others have made do without it.
void Simulation::hunt(std::uint64_t left) {
    if (left == 0 || !world_.faults) return;
    for (auto& host : hosts_) {
        if (!host->alive() || host->paused()) continue;
        const auto status = host->node()->status();
        const bool coordinates =
            status.view && status.view->coordinator == host->node_id() && status.phase == Phase::entering;
        if (!status.holder && !coordinates) continue;
        world_.strike(Fault::holders_hunted);
        host->kill("hunted");
        if (world_.random.chance(0.5)) host->start();
        break;
    }
    world_.events.after(world_.random.between(1ms, 400ms), [this, left] { hunt(left - 1); });
}

void Simulation::storm(Host& host, std::uint64_t left) {
    if (left == 0 || !world_.faults) return;
    world_.strike(Fault::restart_storm);
    host.kill("a storm of restarts");
    host.start();
    world_.events.after(world_.random.between(1ms, 60ms), [this, &host, left] { storm(host, left - 1); });
}

void Simulation::kill_all() {
    world_.strike(Fault::all_killed);
    for (auto& host : hosts_) host->kill("all are killed");
    for (auto& host : seconds_) host->kill("all are killed");
}

/// A second process with the id of a node: an operator's mistake, or a container that was believed dead.
void Simulation::start_second_process() {
    auto& second = *world_.random.pick(seconds_);
    if (second.alive()) return;
    world_.strike(Fault::second_process);
    second.start();
    world_.events.after(world_.random.between(10ms, 2000ms), [&second] { second.kill("one of an id is enough"); });
}

void Simulation::deafen_one() {
    const NodeId node{world_.random.below(hosts_.size())};
    world_.strike(Fault::link_deaf);
    world_.tell([&] { return fmt::format("no link of node {} stands", node.value); });
    network_.deafen(node);
    world_.events.after(world_.random.between(10ms, 3000ms), [this] { network_.heal_links(); });
}

void Simulation::cut_power() {
    world_.strike(Fault::power_cut);
    world_.tell([] { return "the power goes"; });
    for (auto& host : hosts_) host->kill("power cut");
    for (auto& host : seconds_) host->kill("power cut");
    network_.power_cut();
    volume_.power_cut();
}

void Simulation::part() {
    const bool one_way = world_.random.chance(0.3);
    world_.strike(one_way ? Fault::one_way_partition : Fault::partition);
    std::vector<NodeId> here;
    std::vector<NodeId> there;
    for (std::uint64_t id = 0; id < hosts_.size(); ++id)
        (world_.random.chance(0.5) ? here : there).push_back(NodeId{id});
    for (const auto one : here) {
        for (const auto other : there) {
            if (world_.random.chance(0.1)) continue;
            network_.cut(one, other);
            if (!one_way) network_.cut(other, one);
        }
    }
    world_.tell([&] {
        return fmt::format("{} partition: {} nodes here, {} there", one_way ? "one-way" : "full", here.size(),
                           there.size());
    });
    world_.events.after(world_.random.between(1ms, 2000ms), [this] { network_.heal(); });
}

void Simulation::fill_disk() {
    volume_.disk_full = true;
    world_.tell([] { return "the disk is full"; });
    world_.events.after(world_.random.between(1ms, 1000ms), [this] { volume_.disk_full = false; });
}

}  // namespace anel::simulation

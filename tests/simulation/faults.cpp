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
    repeat_fault(plan.pause_mean, [this] { any_host().pause(world_.random.between(100us, world_.plan.pause_max)); });
    repeat_fault(plan.leave_mean, [this] { any_host().arrive(LeaveAsked{}); });
    repeat_fault(plan.power_cut_mean, [this] { cut_power(); });
    repeat_fault(plan.partition_mean, [this] { part(); });
    repeat_fault(plan.link_reset_mean, [this] { network_.reset_some_link(); });
    repeat_fault(plan.disk_full_mean, [this] { fill_disk(); });
    repeat_fault(plan.client_crash_mean, [this] {
        if (!clients_.empty()) world_.random.pick(clients_)->crash();
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
    host.kill("killed");
    if (world_.random.chance(0.3)) host.start();
}

void Simulation::cut_power() {
    world_.count("power cuts");
    world_.tell([] { return "the power goes"; });
    for (auto& host : hosts_) host->kill("power cut");
    volume_.power_cut();
}

void Simulation::part() {
    world_.count("partitions");
    const bool one_way = world_.random.chance(0.3);
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

#include "tests/simulation/simulation.hpp"

#include <fmt/format.h>

namespace anel::simulation {

using namespace std::chrono_literals;

Simulation::Simulation(std::uint64_t seed, const Plan& plan, std::function<void(const std::string&)> sink)
    : world_{plan, seed, std::move(sink)},
      volume_{world_, LedgerId{world_.random.number() | 1U}},
      judge_{world_, volume_},
      network_{world_, [this](Process to, Input input) { host_of(to).arrive(std::move(input)); },
               [this](NodeId node) { return process_at(node); },
               [this](NodeId node) { return volume_.call_words[node.value]; }},
      mail_{world_, [this](NodeId to, Input input) { hosts_.at(to.value)->arrive(std::move(input)); },
            [this](NodeId node) { return hosts_.at(node.value)->life(); }},
      vandal_{world_, mail_} {
    for (std::uint64_t id = 0; id < plan.nodes; ++id) {
        for (auto* processes : {&hosts_, &seconds_}) {
            const Process process{processes == &hosts_ ? id : id + limits::nodes_max};
            processes->push_back(std::make_unique<Host>(world_, process, volume_, network_, mail_, judge_));
        }
    }
    for (std::size_t index = 0; index < plan.clients; ++index) {
        const auto id = fmt::format("c{}", index);
        clients_.push_back(std::make_unique<Client>(world_, mail_, judge_, id, id));
    }
    for (std::size_t index = 0; index < plan.text_clients; ++index) {
        text_clients_.push_back(std::make_unique<TextClient>(world_, mail_, judge_, fmt::format("t{}", index)));
    }
    if (plan.rival) rival_ = std::make_unique<Client>(world_, mail_, judge_, "c0", "rival");
}

Host& Simulation::host_of(Process process) {
    auto& processes = process == first_process_of(node_of(process)) ? hosts_ : seconds_;
    return *processes.at(node_of(process).value);
}

Process Simulation::process_at(NodeId node) {
    const Process first = first_process_of(node);
    const Process second{node.value + limits::nodes_max};
    if (!host_of(second).alive()) return first;
    return host_of(first).alive() && world_.random.chance(0.5) ? first : second;
}

void Simulation::run() {
    fault_phase();
    heal();
    liveness_phase();
    idle_phase();
    check_agreement();
    judge_.check_end();
}

void Simulation::run_until(SimTime end) {
    while (!world_.events.empty() && world_.events.next_time() <= end) world_.events.run_one();
}

void Simulation::fault_phase() {
    world_.faults = true;
    for (auto& host : hosts_) {
        world_.events.after(world_.random.between(0us, Duration{50ms}), [&host = *host] { host.start(); });
    }
    for (auto& client : clients_) client->start();
    for (auto& client : text_clients_) client->start();
    if (rival_) {
        world_.strike(Fault::two_clients_with_one_id);
        rival_->start();
    }
    if (world_.plan.vandal) vandal_.start();
    begin_faults();
    run_until(world_.plan.fault_phase);
}

void Simulation::heal() {
    world_.faults = false;
    world_.tell([] { return "--- all faults stop"; });
    network_.heal();
    network_.heal_links();
    for (auto& second : seconds_) second->kill("one of an id is enough");
    if (rival_) rival_->vanish();
    volume_.disk_full = false;
    for (auto& host : hosts_) {
        world_.events.after(world_.random.between(0us, Duration{200ms}), [&host = *host] {
            host.resume();
            host.start();
        });
    }
    for (auto& client : clients_) client->hurry();
    for (auto& client : text_clients_) client->hurry();
}

bool Simulation::all_done() const {
    for (const auto& client : clients_) {
        if (!client->done()) return false;
    }
    for (const auto& client : text_clients_) {
        if (!client->done()) return false;
    }
    return true;
}

std::string Simulation::describe_stuck() const {
    std::string text;
    for (const auto& client : clients_) {
        if (!client->done()) text += "\n    " + client->describe();
    }
    for (const auto& client : text_clients_) {
        if (!client->done()) text += "\n    " + client->describe();
    }
    for (std::size_t id = 0; id < hosts_.size(); ++id) {
        const auto& host = *hosts_[id];
        if (!host.alive()) {
            text += fmt::format("\n    node {}: dead", id);
            continue;
        }
        const auto status = host.node()->status();
        text += fmt::format("\n    node {}: {}{} epoch {} members {} round {} durable {} pending {}{}{}", id,
                            name_of(status.phase), host.paused() ? " (frozen)" : "",
                            status.view ? status.view->epoch.value : 0, status.view ? status.view->members.size() : 0,
                            status.tip.round.value, status.durable.value, status.pending_messages,
                            status.holder ? " holder" : "", status.parked ? " parked" : "");
    }
    return text;
}

void Simulation::liveness_phase() {
    const auto end = world_.now() + world_.plan.liveness_bound;
    while (!all_done() && !world_.events.empty() && world_.events.next_time() <= end) world_.events.run_one();
    if (!all_done()) {
        throw Violation{fmt::format("liveness: not everything is acked {} s after the last fault{}",
                                    world_.plan.liveness_bound.count() / 1'000'000, describe_stuck())};
    }
    world_.counts["healed after ms, sum"] +=
        static_cast<std::uint64_t>((world_.now() - world_.plan.fault_phase).count() / 1000);
}

/// A ring with nothing to do is whole, parks its token, and uses next to no processor.
void Simulation::idle_phase() {
    world_.tell([] { return "--- everything is acked"; });
    run_until(world_.now() + 8s);
    for (const auto& host : hosts_) {
        if (!host->alive() || host->node()->status().phase != Phase::operational ||
            host->node()->status().view->members.size() != hosts_.size()) {
            throw Violation{fmt::format("liveness: the ring is not whole again{}", describe_stuck())};
        }
    }
    const auto tokens = world_.counts["tokens"];
    const auto inputs = world_.counts["inputs"];
    run_until(world_.now() + 2s);
    if (world_.counts["tokens"] != tokens) {
        throw Violation{
            fmt::format("liveness: an idle ring does not park: {} tokens in 2 s", world_.counts["tokens"] - tokens)};
    }
    if (world_.counts["inputs"] - inputs > 40 * hosts_.size()) {
        throw Violation{fmt::format("liveness: an idle ring takes {} inputs in 2 s", world_.counts["inputs"] - inputs)};
    }
}

/// All nodes know the same, and it is what the ledger says.
void Simulation::check_agreement() const {
    const auto tip = volume_.tip();
    for (std::size_t id = 0; id < hosts_.size(); ++id) {
        const auto snapshot = hosts_[id]->node()->snapshot();
        if (snapshot.round != tip.round) {
            throw Violation{
                fmt::format("node {} knows {} rounds, the ledger has {}", id, snapshot.round.value, tip.round.value)};
        }
        judge_.snapshot_taken(NodeId{id}, snapshot);
    }
}

namespace {

Verdict verdict_of(std::uint64_t seed, Simulation& simulation, const std::function<void()>& run) {
    Verdict verdict;
    verdict.seed = seed;
    try {
        run();
    } catch (const std::exception& broken) {
        verdict.broken = broken.what();
        if (verdict.broken.empty()) verdict.broken = "an exception without words";
    }
    auto& world = simulation.world();
    verdict.hash = world.trace.hash();
    verdict.counts = world.counts;
    verdict.struck = world.struck;
    verdict.ended = world.now();
    return verdict;
}

}  // namespace

Verdict run_seed(std::uint64_t seed, const PlanRange& range, std::function<void(const std::string&)> sink) {
    Simulation simulation{seed, plan_of(seed, range), std::move(sink)};
    return verdict_of(seed, simulation, [&] { simulation.run(); });
}

Verdict run_months(std::uint64_t seed, std::uint64_t rounds) {
    Simulation simulation{seed, plan_of_months(), {}};
    return verdict_of(seed, simulation, [&] { simulation.run_months(rounds); });
}

}  // namespace anel::simulation

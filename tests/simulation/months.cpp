// A healthy ring stays in one epoch for months. What grows with its age must be the output alone.
#include <fmt/format.h>

#include "tests/simulation/simulation.hpp"

namespace anel::simulation {

using namespace std::chrono_literals;

void Simulation::run_months(std::uint64_t rounds) {
    for (auto& host : hosts_) host->start();
    for (auto& client : clients_) client->start();
    std::uint64_t newcomers = 0;
    Round checked;
    while (volume_.tip().round.value < rounds) {
        const auto before = volume_.tip().round;
        run_until(world_.now() + 100ms);
        // Clients come and go for ever; none says bye.
        for (auto& client : clients_) {
            if (client->at_rest()) client->begin_again(fmt::format("g{}", newcomers++));
        }
        if (world_.now() > 10s && before == volume_.tip().round && world_.events.empty()) {
            throw Violation{"liveness: no round comes any more" + describe_stuck()};
        }
        if (volume_.tip().round.value < checked.value + 500) continue;
        checked = volume_.tip().round;
        check_bounds();
        if (checked.value > 2000) judge_.forget_below({checked.value - 2000});
    }
    liveness_phase();
    run_until(world_.now() + 1s);
    check_agreement();
    judge_.check_end();
    world_.count("clients that came and went", newcomers);
    if (newcomers < 10 * world_.plan.config.clients) throw Violation{"too few clients came and went to prove a bound"};
    if (world_.struck[static_cast<std::size_t>(Fault::session_retired)] == 0) throw Violation{"no session retired"};
    if (volume_.newest()->epoch != Epoch{1}) throw Violation{"it was more than one epoch"};
}

void Simulation::check_bounds() {
    const auto& config = world_.plan.config;
    const auto bound = [this](std::string_view what, std::uint64_t value, std::uint64_t limit) {
        auto& highest = world_.counts[fmt::format("highest: {} (at most {})", what, limit)];
        highest = std::max(highest, value);
        if (value > limit) {
            throw Violation{fmt::format("after {} rounds: {} is {}, at most {} is right", volume_.tip().round.value,
                                        what, value, limit)};
        }
    };
    std::uint64_t slots = 0;
    std::uint64_t bytes = 0;
    for (const auto& [number, segment] : volume_.segments()) {
        slots += segment->slots.size();
        for (const auto& slot : segment->slots) bytes += slot.cached->record.text.size();
    }
    bound("records in the journal", slots, 5 * config.checkpoint_rounds);
    bound("bytes of text in the journal", bytes, 10 * config.segment_bytes);
    bound("segments", volume_.segments().size(), 10);
    SimLedger starting{volume_, Process{0}};
    const auto history = starting.read(Round{0});
    bound("records read at a start", history->rounds.size(), 3 * config.checkpoint_rounds);
    if (history->snapshot)
        bound("sessions of a checkpoint", history->snapshot->sessions.size(), config.sessions + hosts_.size());
    for (const auto& host : hosts_) {
        const auto status = host->node()->status();
        bound("sessions of a node", status.sessions, config.sessions + hosts_.size());
        bound("clients that a node remembers", status.clients, config.clients);
        bound("messages that wait in a node", status.pending_messages, clients_.size() * world_.plan.messages_each * 2);
    }
    bound("events under way", world_.events.size(), 2000);
}

}  // namespace anel::simulation

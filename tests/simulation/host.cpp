#include "tests/simulation/host.hpp"

#include <fmt/format.h>

#include "tests/traces/print.hpp"
#include "tests/traces/terms.hpp"

namespace anel::simulation {

using namespace std::chrono_literals;

namespace {

bool has_outcome(const Action& action) {
    return std::holds_alternative<AskGrant>(action) || std::holds_alternative<CatchUp>(action) ||
           std::holds_alternative<DecideRound>(action) || std::holds_alternative<WriteOutput>(action) ||
           std::holds_alternative<RotateSegment>(action) || std::holds_alternative<ReadWords>(action);
}

}  // namespace

Moment Host::Clock::read(SimTime now) const {
    const auto us = now.count() + now.count() / 1'000'000 * drift_ppm + now.count() % 1'000'000 * drift_ppm / 1'000'000;
    return {Instant{Duration{us + offset_us}}, us + wall_offset_us};
}

SimTime Host::Clock::when(Instant instant) const {
    const auto us = instant.time_since_epoch().count() - offset_us;
    auto at = SimTime{us - us / 1'000'000 * drift_ppm};
    // The inverse is only near; walk to the first moment at which the clock has come so far.
    while (read(at).steady >= instant)
        at -= Duration{std::max<std::int64_t>(1, (read(at).steady - instant).count() / 2)};
    while (read(at).steady < instant) {
        at += Duration{std::max<std::int64_t>(1, (instant - read(at).steady).count() * 9 / 10)};
    }
    return at;
}

std::optional<std::uint64_t> Host::life() const { return alive() ? std::optional{life_} : std::nullopt; }

void Host::start() {
    if (alive()) return;
    ++life_;
    auto& random = world_.random;
    incarnation_ = {random.number() | 1U};
    clock_.offset_us = static_cast<std::int64_t>(random.below(1'000'000'000));
    clock_.drift_ppm =
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(world_.plan.drift_ppm) * 2 + 1)) -
        world_.plan.drift_ppm;
    clock_.wall_offset_us = 1'700'000'000'000'000;
    if (world_.faults && clock_.drift_ppm != 0) world_.strike(Fault::clock_drift);
    if (random.chance(world_.plan.wall_jump)) {
        world_.strike(Fault::wall_clock_wrong);
        clock_.wall_offset_us += static_cast<std::int64_t>(random.below(20'000'000'000)) - 10'000'000'000;
    }
    auto config = world_.plan.config;
    config.self = node_id_;
    ledger_.emplace(volume_, self_);
    const auto history = ledger_->read(Round{0});
    world_.count("starts");
    world_.tell(
        [&] { return fmt::format("node {} starts, life {}, incarnation {}", self_.value, life_, incarnation_.value); });
    node_.emplace(config, incarnation_, volume_.id(), *history, std::mt19937_64{random.number()},
                  clock_.read(world_.now()));
    run();
}

void Host::kill(std::string_view why) {
    if (!alive()) return;
    world_.count("deaths");
    world_.trace.mix(life_ << 8U | self_.value);
    world_.tell([&] { return fmt::format("node {} dies: {}", self_.value, why); });
    node_.reset();
    ledger_.reset();
    inbox_.clear();
    outcomes_.clear();
    actions_.clear();
    frozen_.clear();
    syncing_ = false;
    next_sync_.reset();
    timer_.reset();
    busy_ = false;
    paused_ = false;
    world_.candidates.erase(self_);
    network_.process_died(self_);
}

void Host::jump_wall() {
    if (!alive()) return;
    world_.strike(Fault::wall_clock_jump);
    clock_.wall_offset_us += static_cast<std::int64_t>(world_.random.below(20'000'000'000)) - 10'000'000'000;
}

void Host::pause(Duration length) {
    if (!alive() || paused_) return;
    paused_ = true;
    paused_in_ = ledger_->newest_epoch();
    world_.count("pauses");
    world_.tell([&] { return fmt::format("node {} freezes for {} us", self_.value, length.count()); });
    const auto pause_number = ++pauses_;
    world_.events.after(length, [this, pause_number] {
        if (pause_number == pauses_) resume();
    });
}

void Host::resume() {
    if (!alive() || !paused_) return;
    paused_ = false;
    if (ledger_->newest_epoch().value >= paused_in_.value + 3) world_.strike(Fault::slept_through_epochs);
    world_.tell([&] { return fmt::format("node {} goes on", self_.value); });
    auto frozen = std::move(frozen_);
    frozen_.clear();
    while (!frozen.empty()) {
        // One of them may freeze or kill the process again.
        if (!alive()) return;
        if (paused_) {
            frozen_.insert(frozen_.begin(), frozen.begin(), frozen.end());
            return;
        }
        const auto what = std::move(frozen.front());
        frozen.pop_front();
        what();
    }
    if (alive()) run();
}

void Host::arrive(Input input) {
    if (!alive()) return;
    inbox_.push_back(std::move(input));
    run();
}

void Host::later(Duration delay, std::function<void()> what) {
    world_.events.after(delay, [this, life = life_, what = std::move(what)] {
        if (!alive() || life != life_) return;
        if (paused_) frozen_.push_back(what);
        else what();
    });
}

void Host::finish(Input outcome) {
    busy_ = false;
    outcomes_.push_back(std::move(outcome));
    run();
}

/// Faults strike between any two steps of one action as well.
void Host::disk_step(Duration delay, std::function<void()> what) {
    if (world_.fault(world_.plan.crash_in_disk, Fault::killed_in_disk_action)) return kill("in a disk action");
    if (world_.fault(world_.plan.freeze_in_disk, Fault::frozen_in_disk_action)) {
        pause(world_.random.between(100us, Duration{1500ms}));
    }
    later(delay, std::move(what));
}

void Host::grant_step(Fault death, Duration delay, std::function<void()> what) {
    if (world_.fault(world_.plan.crash_in_grant, death)) return kill(name_of(death));
    disk_step(delay, std::move(what));
}

/// Faults strike between any two actions.
bool Host::struck() {
    if (world_.fault(world_.plan.pause_at_action, Fault::frozen_between_actions)) {
        pause(world_.random.between(Duration{100}, world_.plan.pause_max));
    } else if (world_.fault(world_.plan.crash_at_action, Fault::killed_between_actions)) {
        kill("between two actions");
    }
    return !alive() || paused_;
}

void Host::run() {
    while (alive() && !paused_ && !busy_) {
        if (!actions_.empty()) {
            if (struck()) return;
            const auto action = std::move(actions_.front());
            actions_.pop_front();
            perform(action);
        } else if (!outcomes_.empty()) {
            const auto input = std::move(outcomes_.front());
            outcomes_.pop_front();
            step(input);
        } else if (!inbox_.empty()) {
            auto input = std::move(inbox_.front());
            inbox_.pop_front();
            if (auto* arrived = std::get_if<LinkArrived>(&input); arrived != nullptr) {
                if (auto* token = std::get_if<Token>(&arrived->message)) fetch_bids(*token, node_id_, *this);
            }
            step(input);
        } else {
            arm_timer();
            return;
        }
    }
}

void Host::arm_timer() {
    const auto wakeup = node_->next_wakeup();
    if (!wakeup) return;
    const auto due = std::max(clock_.when(*wakeup), world_.now());
    if (timer_ && *timer_ <= due) return;
    timer_ = due;
    later(due - world_.now(), [this, due] {
        if (timer_ == due) timer_.reset();
        if (busy_ || !inbox_.empty() || !outcomes_.empty() || !actions_.empty()) return;
        const auto next = node_->next_wakeup();
        if (next && *next <= clock_.read(world_.now()).steady) inbox_.push_back(Ticked{});
        run();
    });
}

void Host::step(const Input& input) {
    ++inputs_;
    world_.count("inputs");
    if (instant_ != world_.now()) {
        instant_ = world_.now();
        inputs_this_instant_ = 0;
    }
    // Frames of a long pause arrive at once; a step that causes itself does not end.
    if (++inputs_this_instant_ > 20'000) {
        throw Violation{
            fmt::format("node {} takes inputs without end in one instant, the last is {}", self_.value, print(input))};
    }
    world_.trace.mix(static_cast<std::uint64_t>(world_.now().count()) << 12U | self_.value << 6U | input.index());
    world_.tell([&] {
        const auto text = print(input);
        // A line of a trace can be fed to a node again, as it stands.
        if (print(traces::input_of(traces::Term::parse(text))) != text) throw Violation{"the trace language: " + text};
        return fmt::format("node {} <- {}", self_.value, text);
    });
    auto actions = node_->step(input, clock_.read(world_.now()));
    check_outcome_is_last(actions);
    for (auto& action : actions) {
        world_.trace.mix(action.index());
        actions_.push_back(std::move(action));
    }
}

void Host::check_outcome_is_last(const Actions& actions) const {
    for (std::size_t index = 0; index + 1 < actions.size(); ++index) {
        if (has_outcome(actions[index])) {
            throw Violation{fmt::format("node {}: an action with an outcome is not the last of its step: {}",
                                        self_.value, print(actions[index]))};
        }
    }
}

}  // namespace anel::simulation

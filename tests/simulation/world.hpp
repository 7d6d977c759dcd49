// What every part of one simulated world shares: time, chance, the trace, the counts, and the way to say "broken".
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/instant.hpp"
#include "tests/simulation/fault_kinds.hpp"
#include "tests/simulation/plan.hpp"

namespace anel::simulation {

/// Simulated time since the world began. Each node sees it through a clock of its own.
using SimTime = Duration;

/// One process. Its node's id is the rest modulo 64; from 64 on it is a second process of an id.
using Process = Strong<struct ProcessTag>;
[[nodiscard]] constexpr NodeId node_of(Process process) { return {process.value % limits::nodes_max}; }
[[nodiscard]] constexpr Process first_process_of(NodeId node) { return {node.value}; }

/// A promise was broken. Ends the run of a seed.
struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// All chance of a world comes from here, in the order of its events: the seed is the whole history.
class Random {
public:
    explicit Random(std::uint64_t seed) : engine_{seed} {}
    [[nodiscard]] std::uint64_t number() { return engine_(); }
    [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : engine_() % limit; }
    [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
    [[nodiscard]] Duration between(Duration low, Duration high) {
        return low + Duration{static_cast<std::int64_t>(below(static_cast<std::uint64_t>((high - low).count()) + 1))};
    }
    [[nodiscard]] bool chance(double probability) {
        return static_cast<double>(engine_() >> 11U) * 0x1.0p-53 < probability;
    }
    template <class Values>
    [[nodiscard]] auto& pick(Values& values) {
        return values[below(values.size())];
    }

private:
    std::mt19937_64 engine_;
};

/// Events in the order of their time, and of their making where the time is the same.
class EventQueue {
public:
    [[nodiscard]] SimTime now() const { return now_; }
    [[nodiscard]] bool empty() const { return heap_.empty(); }
    [[nodiscard]] std::size_t size() const { return heap_.size(); }
    [[nodiscard]] SimTime next_time() const { return heap_.front().time; }
    void after(Duration delay, std::function<void()> what) {
        heap_.push_back({now_ + std::max(delay, Duration{0}), ++made_, std::move(what)});
        std::push_heap(heap_.begin(), heap_.end());
    }
    void run_one() {
        std::pop_heap(heap_.begin(), heap_.end());
        Event event = std::move(heap_.back());
        heap_.pop_back();
        now_ = event.time;
        event.what();
    }

private:
    struct Event {
        SimTime time;
        std::uint64_t order;
        std::function<void()> what;
        friend bool operator<(const Event& left, const Event& right) {
            return std::pair{left.time, left.order} > std::pair{right.time, right.order};
        }
    };
    std::vector<Event> heap_;
    SimTime now_{0};
    std::uint64_t made_ = 0;
};

/// A readable line for each thing that happens, and a hash of all of them, whether anybody reads or not.
class Trace {
public:
    explicit Trace(std::function<void(const std::string&)> sink) : sink_{std::move(sink)} {}
    [[nodiscard]] bool on() const { return static_cast<bool>(sink_); }
    void line(const std::string& text) const { sink_(text); }
    void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3ULL + (hash_ >> 29U); }
    [[nodiscard]] std::uint64_t hash() const { return hash_; }

private:
    std::function<void(const std::string&)> sink_;
    std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

/// Counts by name; a simulator in which nothing happens proves nothing.
using Counts = std::map<std::string, std::uint64_t, std::less<>>;

struct World {
    World(const Plan& the_plan, std::uint64_t seed, std::function<void(const std::string&)> sink)
        : plan{the_plan}, random{seed}, trace{std::move(sink)} {}
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Plan plan;
    Random random;
    EventQueue events;
    Trace trace;
    Counts counts;
    FaultCounts struck{};
    std::set<Process> candidates;  ///< under way to a grant
    bool faults = false;           ///< the fault phase is on

    [[nodiscard]] SimTime now() const { return events.now(); }
    [[nodiscard]] bool fault(double probability) { return faults && random.chance(probability); }
    void count(std::string_view what, std::uint64_t by = 1) {
        const auto at = counts.find(what);
        if (at == counts.end()) counts.emplace(std::string{what}, by);
        else at->second += by;
    }
    void strike(Fault kind) { ++struck[static_cast<std::size_t>(kind)]; }
    /// As fault(), and counts it.
    [[nodiscard]] bool fault(double probability, Fault kind) {
        if (!fault(probability)) return false;
        strike(kind);
        return true;
    }
    /// One line of the trace; `text` is made only when somebody reads it.
    template <class Text>
    void tell(Text&& text) {
        if (trace.on()) trace.line(stamp() + text());
    }

private:
    [[nodiscard]] std::string stamp() const;
};

}  // namespace anel::simulation

// simulate: runs seeds, each a whole simulated world; prints what broke and how to see it again.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "tests/simulation/simulation.hpp"
#include "tests/simulation/stories.hpp"

namespace {

using namespace anel::simulation;

struct Options {
    std::uint64_t seeds = 10'000;
    std::uint64_t from = 1;
    std::optional<std::uint64_t> seed;
    std::string nodes = "1..7";
    std::string faults = "all";
    unsigned jobs = std::thread::hardware_concurrency();
    std::uint64_t months = 0;
    std::string story;
    bool kinds = false;
    bool every_kind = false;
    bool verbose = false;
    bool trace = false;
    bool twice = false;

    [[nodiscard]] PlanRange range() const;
};

PlanRange Options::range() const {
    PlanRange range;
    const auto level = fault_level_named(faults);
    if (!level) throw CLI::ValidationError{"--faults", "none, links, crash or all"};
    range.level = *level;
    const auto dots = nodes.find("..");
    range.nodes_min = std::stoul(nodes.substr(0, dots));
    range.nodes_max = dots == std::string::npos ? range.nodes_min : std::stoul(nodes.substr(dots + 2));
    if (range.nodes_min < 1 || range.nodes_max < range.nodes_min || range.nodes_max > anel::limits::nodes_max) {
        throw CLI::ValidationError{"--nodes", "A..B, from 1 to 64"};
    }
    return range;
}

thread_local std::uint64_t current_seed = 0;

/// An assertion of the core ends the process; the seed must not be lost with it.
extern "C" void on_abort(int) {
    char text[64] = "simulate: aborted in seed ";
    auto* at = text + std::strlen(text);
    char digits[24];
    int count = 0;
    for (auto rest = current_seed; count == 0 || rest > 0; rest /= 10)
        digits[count++] = static_cast<char>('0' + rest % 10);
    while (count > 0) *at++ = digits[--count];
    *at++ = '\n';
    if (::write(STDERR_FILENO, text, static_cast<std::size_t>(at - text)) < 0) std::_Exit(3);
    std::_Exit(3);
}

/// The results of all seeds, gathered from all threads.
class Report {
public:
    explicit Report(const Options& options) : options_{options} {}

    void add(const Verdict& verdict) {
        const std::lock_guard lock{mutex_};
        for (const auto& [name, count] : verdict.counts) counts_[name] += count;
        for (std::size_t kind = 0; kind < fault_kinds; ++kind) struck_[kind] += verdict.struck[kind];
        if (options_.verbose || !verdict.ok()) {
            fmt::print("seed {}: {} after {} ms, {}\n", verdict.seed, verdict.ok() ? "kept" : "BROKEN",
                       verdict.ended.count() / 1000, describe(plan_of(verdict.seed, options_.range())));
        }
        if (verdict.ok()) return;
        ++failed_;
        fmt::print("  {}\n  replay: simulate --seed {} --nodes {} --faults {} --trace\n", verdict.broken, verdict.seed,
                   options_.nodes, options_.faults);
        std::fflush(stdout);
    }
    [[nodiscard]] int finish(std::uint64_t seeds) const {
        fmt::print("{} seeds, {} broken;", seeds, failed_);
        for (const auto& [name, count] : counts_) fmt::print(" {}: {},", name, count);
        fmt::print("\nfaults:");
        for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
            fmt::print(" {}: {},", name_of(Fault{kind}), struck_[kind]);
        }
        fmt::print("\n");
        return failed_ == 0 && was_active(seeds) ? 0 : 1;
    }

private:
    /// A simulator in which nothing happens proves nothing.
    [[nodiscard]] bool was_active(std::uint64_t seeds) const {
        const auto at_least = [&](const char* name, std::uint64_t wanted) {
            const auto found = counts_.find(name);
            const auto count = found == counts_.end() ? 0 : found->second;
            if (count < wanted)
                fmt::print("too little happened: {} is {}, at least {} is wanted\n", name, count, wanted);
            return count >= wanted;
        };
        bool active =
            at_least("acked messages", seeds * 5) && at_least("rounds", seeds * 3) && at_least("grants", seeds);
        // The rarest kinds need some thousand worlds.
        if (!options_.every_kind && (options_.faults != "all" || seeds < 5000)) return active;
        for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
            if (struck_[kind] > 0) continue;
            fmt::print("too little happened: no fault of the kind '{}'\n", name_of(Fault{kind}));
            active = false;
        }
        return active;
    }

    const Options& options_;
    std::mutex mutex_;
    Counts counts_;
    FaultCounts struck_{};
    std::uint64_t failed_ = 0;
};

Verdict run_one(std::uint64_t seed, const PlanRange& range, const Options& options) {
    current_seed = seed;
    auto verdict = run_seed(seed, range);
    if (options.twice && verdict.ok()) {
        const auto again = run_seed(seed, range);
        if (again.hash != verdict.hash) verdict.broken = "the same seed gave another history";
    }
    return verdict;
}

int run_many(const Options& options) {
    const auto range = options.range();
    Report report{options};
    std::atomic<std::uint64_t> next{0};
    std::vector<std::thread> threads;
    for (unsigned job = 0; job < std::max(1U, options.jobs); ++job) {
        threads.emplace_back([&] {
            for (auto index = next++; index < options.seeds; index = next++) {
                report.add(run_one(options.from + index, range, options));
            }
        });
    }
    for (auto& thread : threads) thread.join();
    return report.finish(options.seeds);
}

void print_line(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

int run_single(const Options& options) {
    const auto range = options.range();
    current_seed = *options.seed;
    fmt::print("seed {}: {}\n", *options.seed, describe(plan_of(*options.seed, range)));
    std::function<void(const std::string&)> sink;
    if (options.trace) sink = print_line;
    const auto verdict = run_seed(*options.seed, range, sink);
    fmt::print("{}, hash {:016x}\n", verdict.ok() ? "every promise was kept" : "BROKEN: " + verdict.broken,
               verdict.hash);
    for (const auto& [name, count] : verdict.counts) fmt::print("  {}: {}\n", name, count);
    for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
        if (verdict.struck[kind] > 0) fmt::print("  fault '{}': {}\n", name_of(Fault{kind}), verdict.struck[kind]);
    }
    return verdict.ok() ? 0 : 1;
}

/// A line for each kind of fault, as docs/TESTING.md names it.
int print_kinds() {
    for (std::size_t kind = 0; kind < fault_kinds; ++kind) fmt::print("{}\n", name_of(Fault{kind}));
    return 0;
}

int run_long_epoch(const Options& options) {
    const auto verdict = run_months(options.seed.value_or(1), options.months);
    fmt::print("{}\n", verdict.ok() ? "everything stayed bounded" : "BROKEN: " + verdict.broken);
    for (const auto& [name, count] : verdict.counts) fmt::print("  {}: {}\n", name, count);
    return verdict.ok() ? 0 : 1;
}

int tell_story(const Options& options) {
    const auto verdict = run_story(options.story, options.seed, print_line);
    if (verdict.ok()) return 0;
    fmt::print(stderr, "simulate: {}; the stories are: {}\n", verdict.broken, fmt::join(story_names(), ", "));
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    // Worlds come and go; what one gave back the next one takes, without asking the kernel.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    Options options;
    CLI::App app{"Simulates whole rings with faults, each from one seed."};
    app.add_option("--seeds", options.seeds,
                   "how many seeds; ANEL_SIMULATION_SEEDS in the environment where this is not given");
    app.add_option("--from", options.from, "the first seed");
    app.add_option("--seed", options.seed, "this seed alone");
    app.add_option("--nodes", options.nodes, "A..B nodes");
    app.add_option("--faults", options.faults, "none, links, crash or all");
    app.add_option("--jobs", options.jobs, "threads");
    app.add_option("--months", options.months, "one epoch of so many rounds: is all that is kept bounded?");
    app.add_option("--story", options.story, "the trace of one thing that happens at an exact moment");
    app.add_flag("--kinds", options.kinds, "names every kind of fault");
    app.add_flag("--every-kind", options.every_kind, "each kind must happen, however few seeds there are");
    app.add_flag("--verbose", options.verbose, "a line for each seed");
    app.add_flag("--trace", options.trace, "with --seed: every input and action");
    app.add_flag("--twice", options.twice, "each seed twice, with the same history");
    CLI11_PARSE(app, argc, argv);
    if (const char* wanted = std::getenv("ANEL_SIMULATION_SEEDS"); wanted && !app.count("--seeds")) {
        options.seeds = std::strtoull(wanted, nullptr, 10);
    }
    std::signal(SIGABRT, on_abort);
    try {
        if (options.kinds) return print_kinds();
        if (!options.story.empty()) return tell_story(options);
        if (options.months > 0) return run_long_epoch(options);
        return options.seed ? run_single(options) : run_many(options);
    } catch (const CLI::Error& error) {
        return app.exit(error);
    }
}

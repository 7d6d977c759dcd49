// trace_runner: drives one node through a trace and compares what it does, action by action, with what is written.
//
// A trace is made of blocks between blank lines. Comments begin with '#'. The first block names the node:
//   node self=0 nodes=[0, 1, 2] incarnation=10 ledger=7 seed=1 linger_us=0
// The others have lines of input, `----`, and the actions that must follow, one a line:
//   tick | control from=1 incarnation=11 message={...} | ...   as the simulator prints them
//   wait ms=300        time goes on; then the node is ticked as often as it asked for
//   sleep ms=300       time goes on and the node does not run
// ANEL_REWRITE=1 writes what really followed into the file.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "ring/core/node.hpp"
#include "tests/traces/print.hpp"
#include "tests/traces/terms.hpp"

namespace {

using namespace anel;
using traces::Term;

class TracedNode {
public:
    explicit TracedNode(const Term& term) : now_{Instant{std::chrono::seconds{1}}, 1'000'000} {
        NodeConfig config;
        config.self = {term.number("self")};
        for (const auto& id : term.items("nodes")) config.nodes.insert({id.as_number()});
        config.linger = Duration{term.integer("linger_us")};
        if (term.has("segment_bytes")) config.segment_bytes = term.number("segment_bytes");
        if (term.has("checkpoint_rounds")) config.checkpoint_rounds = term.number("checkpoint_rounds");
        const auto loaded = term.has("loaded") ? traces::history_of(term.at("loaded")) : History{};
        node_.emplace(config, Incarnation{term.number("incarnation")}, LedgerId{term.number("ledger")}, loaded,
                      std::mt19937_64{term.number("seed")}, now_);
    }
    std::string input(const Term& term) {
        if (term.head() == "sleep") {
            forward_to(now_.steady + std::chrono::milliseconds{term.integer("ms")});
            return {};
        }
        if (term.head() != "wait") return step(traces::input_of(term));
        const auto end = now_.steady + std::chrono::milliseconds{term.integer("ms")};
        std::string text;
        for (auto due = node_->next_wakeup(); due && *due <= end; due = node_->next_wakeup()) {
            if (++ticks_ > 1000) throw traces::BadTrace{"ticks without end"};
            forward_to(std::max(*due, now_.steady));
            text += step(Ticked{});
        }
        forward_to(end);
        return text;
    }
    void begin_block() { ticks_ = 0; }
    [[nodiscard]] std::string state() const {
        const auto status = node_->status();
        return fmt::format("= {}{}{}\n", name_of(status.phase), status.holder ? " holder" : "",
                           status.parked ? " parked" : "");
    }

private:
    std::string step(const Input& input) {
        std::string text;
        for (const auto& action : node_->step(input, now_)) text += print(action) + "\n";
        return text;
    }
    void forward_to(Instant instant) {
        now_.wall_us += (instant - now_.steady).count();
        now_.steady = instant;
    }

    Moment now_;
    std::optional<Node> node_;
    int ticks_ = 0;
};

/// Runs the trace; returns it with the actions that really followed.
std::string run(std::istream& trace) {
    std::optional<TracedNode> node;
    std::string made;
    std::string followed;
    bool expected = false;  ///< within the lines behind ----
    bool fresh = false;
    const auto end_block = [&] {
        if (fresh && node) made += "----\n" + followed + node->state();
        followed.clear();
        fresh = expected = false;
    };
    for (std::string line; std::getline(trace, line);) {
        if (line.empty()) {
            end_block();
            made += "\n";
        } else if (line == "----") {
            expected = true;
        } else if (expected) {
            continue;
        } else if (line.starts_with('#')) {
            made += line + "\n";
        } else {
            made += line + "\n";
            const auto term = Term::parse(line);
            if (term.head() == "node") {
                node.emplace(term);
                continue;
            }
            if (!node) throw traces::BadTrace{"the first line that is no comment is `node ...`"};
            if (!fresh) node->begin_block();
            fresh = true;
            followed += node->input(term);
        }
    }
    end_block();
    return made;
}

int compare(const std::string& wanted, const std::string& made) {
    std::istringstream left{wanted};
    std::istringstream right{made};
    std::string expected;
    std::string real;
    for (int line = 1;; ++line) {
        const bool more_left = static_cast<bool>(std::getline(left, expected));
        const bool more_right = static_cast<bool>(std::getline(right, real));
        if (!more_left && !more_right) return 0;
        if (more_left && more_right && expected == real) continue;
        fmt::print("line {}\n  expected: {}\n  followed: {}\n", line, more_left ? expected : "(the end)",
                   more_right ? real : "(the end)");
        return 1;
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: trace_runner FILE.trace\n");
        return 2;
    }
    std::ifstream file{argv[1]};
    std::ostringstream text;
    text << file.rdbuf();
    try {
        std::istringstream trace{text.str()};
        const auto made = run(trace);
        if (std::getenv("ANEL_REWRITE")) {
            std::ofstream{argv[1]} << made;
            return 0;
        }
        return compare(text.str(), made);
    } catch (const std::exception& bad) {
        fmt::print("{}: {}\n", argv[1], bad.what());
        return 1;
    }
}

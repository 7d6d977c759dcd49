#include <fmt/format.h>
#include <signal.h>

#include <thread>

#include "client/command/bench/kinds.hpp"
#include "client/command/bench/load.hpp"
#include "client/command/bench/thinning.hpp"
#include "client/command/commands.hpp"
#include "client/random_number.hpp"

namespace anel::command::bench {
namespace {

using namespace std::chrono_literals;

/// Hits one node after the other and watches for how long nobody is acked.
class Failover {
public:
    Failover(Ring& ring, const Options& options, Acked& acked)
        : ring_{ring}, nodes_{options.nodes}, times_{options.times}, acked_{acked} {}

    struct Gaps {
        Samples hit;       ///< from the last ack before the fault on
        Samples returned;  ///< while the node came back
        std::uint64_t holders = 0;
    };
    /// @return what is wrong, in words, or nothing.
    std::string hit(int signal, Gaps& gaps) {
        for (std::uint64_t time = 0; time < times_ && !signalled(); ++time) {
            pause(300ms);
            if (auto problem = hit_once(signal, gaps); !problem.empty()) return problem;
        }
        return {};
    }

private:
    std::string hit_once(int signal, Gaps& gaps) {
        const auto victim = pick(gaps);
        const auto pid = ring_.pid_of(victim);
        if (pid <= 0) return fmt::format("node {} has ended by itself", victim);
        acked_.watch_gaps();
        ::kill(pid, signal);
        if (!wait_for_acks()) return fmt::format("no acks came for 20 s after signal {} to node {}", signal, victim);
        gaps.hit.add(acked_.longest_gap());
        acked_.watch_gaps();
        if (signal == SIGSTOP) {
            ::kill(pid, SIGCONT);
        } else {
            ring_.reap();
            if (auto problem = ring_.start_node(victim); !problem.empty()) return problem;
        }
        if (!ring_.wait_whole()) return fmt::format("node {} was not back in the ring within 20 s", victim);
        gaps.returned.add(acked_.longest_gap());
        return {};
    }

    /// Who says that it holds the token; else any: under load all take turns, and nobody answers while it decides.
    std::uint64_t pick(Gaps& gaps) const {
        for (int look = 0; look < 10; ++look) {
            if (const auto holder = ring_.holder()) {
                ++gaps.holders;
                return *holder;
            }
        }
        return client::random_number() % nodes_;
    }

    /// The fault has shown within a second, or it does not show; then acks must flow.
    bool wait_for_acks() const {
        const auto begun = steady_clock::now();
        for (;;) {
            std::this_thread::sleep_for(10ms);
            const auto passed = steady_clock::now() - begun;
            if (passed >= 1s && acked_.running_gap() < 50ms) return true;
            if (passed >= 20s) return false;
        }
    }

    Ring& ring_;
    std::uint64_t nodes_;
    std::uint64_t times_;
    Acked& acked_;
};

/// What docs/DESIGN.md section 2 promises of a time, beside what it was.
bool keeps(const char* what, const char* which, std::int64_t is_us, std::chrono::milliseconds promised) {
    if (is_us <= std::chrono::microseconds{promised}.count()) return true;
    fmt::print(stderr, "anel bench: {}: acks stopped for {} ms ({}), at most {} ms are promised\n", what, is_us / 1000,
               which, promised.count());
    return false;
}

}  // namespace

bool failover(Ring& ring, const Options& options, nlohmann::json& result) {
    Load load{ring, options, true};
    Thinning thinning{ring.thinned_data()};
    Failover measure{ring, options, load.acked()};
    Failover::Gaps killed;
    Failover::Gaps paused;
    auto problem = measure.hit(SIGKILL, killed);
    if (problem.empty()) problem = measure.hit(SIGSTOP, paused);
    const bool durable = load.finish();
    if (const auto differs = thinning.finish(); !differs.empty()) problem = differs;
    if (!problem.empty()) fmt::print(stderr, "anel bench: {}\n", problem);
    result = {{"holder_killed", killed.hit.summary()},
              {"holder_restarted", killed.returned.summary()},
              {"node_paused", paused.hit.summary()},
              {"node_resumed", paused.returned.summary()},
              {"said_to_be_holder", killed.holders + paused.holders},
              {"messages", load.acked().messages()}};
    bool kept = keeps("node killed", "median", killed.hit.percentile_us(0.5), 100ms);
    kept = keeps("node killed", "p99", killed.hit.percentile_us(0.99), 250ms) && kept;
    kept = keeps("node paused", "longest", paused.hit.percentile_us(1), 500ms) && kept;
    return problem.empty() && durable && kept && !signalled();
}

}  // namespace anel::command::bench

#include <fmt/format.h>

#include <set>

#include "client/command/ask_nodes.hpp"
#include "client/command/bench/kinds.hpp"
#include "client/command/bench/load.hpp"
#include "client/command/bench/thinning.hpp"
#include "client/command/commands.hpp"

namespace anel::command::bench {
namespace {

using namespace std::chrono_literals;

/// Full load is no reason for a view change: all nodes must be in one epoch, the same all the time.
class Watch {
public:
    explicit Watch(const Ring& ring) : ring_{ring} {}

    void look() {
        for (const auto& answer : ask_all(ring_.addresses(), 2000)) {
            if (!answer.status) {
                ++unanswered_;
                continue;
            }
            epochs_.insert(answer.status->value("epoch", std::uint64_t{0}));
        }
    }
    [[nodiscard]] const std::set<std::uint64_t>& epochs() const { return epochs_; }
    [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }

private:
    const Ring& ring_;
    std::set<std::uint64_t> epochs_;
    std::uint64_t unanswered_ = 0;
};

}  // namespace

bool flapping(Ring& ring, const Options& options, nlohmann::json& result) {
    Watch watch{ring};
    watch.look();
    Load load{ring, options, false};
    Thinning thinning{ring.thinned_data()};
    load.acked().watch_gaps();
    const auto begun = steady_clock::now();
    const auto until = begun + std::chrono::duration<double>(options.seconds);
    while (!signalled() && steady_clock::now() < until && watch.epochs().size() == 1) {
        pause(1s);
        watch.look();
    }
    const std::chrono::duration<double> took = steady_clock::now() - begun;
    const auto gap = std::chrono::duration_cast<std::chrono::milliseconds>(load.acked().longest_gap());
    const bool durable = load.finish();
    const auto problem = thinning.finish();
    if (!problem.empty()) fmt::print(stderr, "anel bench: {}\n", problem);
    const auto changes = watch.epochs().size() - 1;
    if (changes > 0) fmt::print(stderr, "anel bench: the view changed under load; the logs of the nodes say why\n");
    result = {{"seconds", took.count()},          {"messages", load.acked().messages()},
              {"view_changes", changes},          {"longest_gap_ms", gap.count()},
              {"unanswered", watch.unanswered()}, {"mebibytes_checked_and_freed", thinning.mebibytes()}};
    return durable && problem.empty() && changes == 0 && !signalled();
}

}  // namespace anel::command::bench

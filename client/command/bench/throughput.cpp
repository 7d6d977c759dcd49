#include <fmt/format.h>

#include <cmath>

#include "client/command/bench/kinds.hpp"
#include "client/command/bench/load.hpp"

namespace anel::command::bench {

using namespace std::chrono_literals;

bool throughput(Ring& ring, const Options& options, nlohmann::json& result) {
    Load load{ring, options, false};
    pause(1s);  // the first second warms up and does not count
    const auto first = load.acked().messages();
    const auto begun = steady_clock::now();
    pause(std::chrono::duration<double>(options.seconds));
    const std::chrono::duration<double> took = steady_clock::now() - begun;
    const auto messages = load.acked().messages() - first;
    const bool durable = load.finish();
    const double rate = static_cast<double>(messages) / took.count();
    result = {{"messages_per_second", std::llround(rate)},
              {"megabytes_per_second", rate * static_cast<double>(options.size) / 1e6},
              {"messages", messages},
              {"seconds", took.count()},
              {"not_durable", load.acked().failed()}};
    if (options.rate > 0) result["latency"] = load.latencies_since(begun).summary();
    if (!durable) fmt::print(stderr, "anel bench: not all that was pushed became durable within two minutes\n");
    if (messages == 0) fmt::print(stderr, "anel bench: nothing was acked in {} s\n", options.seconds);
    return durable && messages > 0;
}

}  // namespace anel::command::bench

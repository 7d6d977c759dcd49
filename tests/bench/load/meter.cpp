#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/bench/load/load.hpp"

namespace anel::bench {
namespace {

Clock::duration in_seconds(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::int64_t at_share(const std::vector<std::int64_t>& sorted, double share) {
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

nlohmann::json count_of(std::uint64_t messages, double seconds) {
    return {{"messages", messages},
            {"seconds", seconds},
            {"messages_per_second", std::llround(static_cast<double>(messages) / seconds)}};
}

}  // namespace

Meter::Meter(const Load& load)
    : seconds_{load.seconds},
      begin_{Clock::now() + in_seconds(load.warm_up)},
      end_{begin_ + in_seconds(load.seconds)},
      counts_(load.clients) {}

void Meter::acked(std::size_t client, std::size_t messages) {
    const auto now = Clock::now();
    if (now >= begin_ && now < end_) counts_[client].messages += messages;
}

void Meter::took(std::size_t client, Clock::duration latency) {
    if (Clock::now() < begin_) return;
    counts_[client].latencies_us.push_back(std::chrono::duration_cast<std::chrono::microseconds>(latency).count());
}

std::uint64_t Meter::messages() const {
    std::uint64_t sum = 0;
    for (const auto& count : counts_) sum += count.messages;
    return sum;
}

void Meter::report() const {
    std::vector<std::int64_t> latencies;
    for (const auto& count : counts_) {
        latencies.insert(latencies.end(), count.latencies_us.begin(), count.latencies_us.end());
    }
    auto result = count_of(messages(), seconds_);
    std::sort(latencies.begin(), latencies.end());
    if (!latencies.empty()) {
        result["latency"] = {{"count", latencies.size()},
                             {"p50_us", at_share(latencies, 0.5)},
                             {"p99_us", at_share(latencies, 0.99)},
                             {"max_us", latencies.back()}};
    }
    fmt::print("{}\n", result.dump());
}

void report_count(std::uint64_t messages, double seconds) { fmt::print("{}\n", count_of(messages, seconds).dump()); }

}  // namespace anel::bench

#include "client/command/bench/load.hpp"

#include <algorithm>
#include <cmath>

namespace anel::command::bench {

using namespace std::chrono_literals;

void Samples::add(steady_clock::duration took) {
    us_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

std::int64_t Samples::percentile_us(double share) const {
    if (us_.empty()) return 0;
    auto sorted = us_;
    // The nearest rank: so many are at or below it. Of few samples p99 is the worst.
    const auto at_or_below = std::ceil(share * static_cast<double>(sorted.size()));
    const auto rank = static_cast<std::ptrdiff_t>(std::max(at_or_below, 1.0)) - 1;
    const auto wanted = sorted.begin() + rank;
    std::nth_element(sorted.begin(), wanted, sorted.end());
    return *wanted;
}

nlohmann::json Samples::summary() const {
    return {{"count", us_.size()},
            {"p50_us", percentile_us(0.5)},
            {"p99_us", percentile_us(0.99)},
            {"max_us", percentile_us(1)}};
}

void Acked::settled(const client::Settled& run) {
    const auto count = run.last.value - run.first.value + 1;
    if (!std::holds_alternative<client::Durable>(run.outcome)) {
        failed_ += count;
        return;
    }
    messages_ += count;
    const std::lock_guard lock{mutex_};
    const auto now = steady_clock::now();
    longest_ = std::max(longest_, now - last_);
    last_ = now;
}

void Acked::watch_gaps() {
    const std::lock_guard lock{mutex_};
    longest_ = {};
}

steady_clock::duration Acked::longest_gap() const {
    const std::lock_guard lock{mutex_};
    return std::max(longest_, steady_clock::now() - last_);
}

steady_clock::duration Acked::running_gap() const {
    const std::lock_guard lock{mutex_};
    return steady_clock::now() - last_;
}

Producer::Producer(client::Options options, std::size_t size, Acked& acked) : payload_(size, 'x') {
    options.on_settled = [&acked](const client::Settled& run) { acked.settled(run); };
    client_.emplace(std::move(options));
    thread_ = std::thread{[this] {
        Timestamp time = 0;
        while (!stop_) {
            if (!client_->post(payload_, ++time)) (void)client_->wait_for_room(100ms);
        }
    }};
}

Producer::~Producer() {
    stop_ = true;
    thread_.join();
}

bool Producer::finish() {
    stop_ = true;
    return client_->flush(30s);
}

Load::Load(const Ring& ring, const Options& options, bool all_nodes) {
    for (std::uint64_t number = 0; number < options.clients; ++number) {
        producers_.emplace_back(ring.client_options(number, all_nodes), options.size, acked_);
    }
}

bool Load::finish() {
    bool settled = true;
    for (auto& producer : producers_) settled = producer.finish() && settled;
    return settled && acked_.failed() == 0;
}

}  // namespace anel::command::bench

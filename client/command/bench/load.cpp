#include "client/command/bench/load.hpp"

#include <algorithm>
#include <cmath>

namespace anel::command::bench {

using namespace std::chrono_literals;

namespace {

/// A full window may be many megabytes, and the disk slow.
constexpr auto settle_most = 120s;

/// So many are at or below it. Of few samples p99 is the worst.
std::int64_t nearest_rank(const std::vector<std::int64_t>& sorted, double share) {
    if (sorted.empty()) return 0;
    const auto at_or_below = std::ceil(share * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(at_or_below, 1.0)) - 1];
}

}  // namespace

void Samples::add(steady_clock::duration took) {
    us_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

void Samples::add(const Samples& others) { us_.insert(us_.end(), others.us_.begin(), others.us_.end()); }

std::vector<std::int64_t> Samples::sorted_us() const {
    auto sorted = us_;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

std::int64_t Samples::percentile_us(double share) const { return nearest_rank(sorted_us(), share); }

nlohmann::json Samples::summary() const {
    const auto sorted = sorted_us();
    auto distribution = nlohmann::json::array();
    for (const double share : {0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0}) {
        distribution.push_back({share, nearest_rank(sorted, share)});
    }
    return {{"count", sorted.size()},
            {"p50_us", nearest_rank(sorted, 0.5)},
            {"p99_us", nearest_rank(sorted, 0.99)},
            {"max_us", nearest_rank(sorted, 1)},
            {"distribution", distribution}};
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

Producer::Producer(client::Options options, std::size_t size, double rate, Acked& acked)
    : acked_{acked}, rate_{rate}, payload_(size, 'x') {
    options.on_settled = [this](const client::Settled& run) { settled(run); };
    client_.emplace(std::move(options));
    thread_ = std::thread{[this] { rate_ > 0 ? push_at_rate() : push_freely(); }};
}

void Producer::push_freely() {
    Timestamp time = 0;
    while (!stop_) {
        if (!client_->post(payload_, ++time)) (void)client_->wait_for_room(100ms);
    }
}

/// A message that cannot go when it is due goes as soon as it may, and its latency counts from when it was due.
void Producer::push_at_rate() {
    std::uint64_t message = 0;
    while (!stop_) {
        for (const auto now = steady_clock::now(); due(message + 1) <= now && !stop_; ++message) {
            while (!stop_ && !client_->post(payload_, static_cast<Timestamp>(message)))
                (void)client_->wait_for_room(100ms);
        }
        std::this_thread::sleep_until(std::max(due(message + 1), steady_clock::now() + 1ms));
    }
}

steady_clock::time_point Producer::due(std::uint64_t message) const {
    const std::chrono::duration<double> after{static_cast<double>(message) / rate_};
    return begun_ + std::chrono::duration_cast<steady_clock::duration>(after);
}

void Producer::settled(const client::Settled& run) {
    acked_.settled(run);
    if (rate_ <= 0) return;
    const auto now = steady_clock::now();
    const auto first = (run.first.value + sampled_every - 1) / sampled_every * sampled_every;
    for (auto message = first; message <= run.last.value; message += sampled_every) {
        samples_.push_back({due(message), now - due(message)});
    }
}

Samples Producer::latencies_since(steady_clock::time_point begin) const {
    Samples samples;
    for (const auto& sample : samples_) {
        if (sample.due >= begin) samples.add(sample.took);
    }
    return samples;
}

Producer::~Producer() {
    stop();
    thread_.join();
}

bool Producer::finish() {
    stop();
    return client_->flush(settle_most);
}

Load::Load(const Ring& ring, const Options& options, bool all_nodes) {
    const double rate = options.rate / static_cast<double>(options.clients);
    for (std::uint64_t number = 0; number < options.clients; ++number) {
        producers_.emplace_back(ring.client_options(number, all_nodes), options.size, rate, acked_);
    }
}

bool Load::finish() {
    // All of them: a client that waits for its last acks while the others push on waits longer, and they push longer.
    for (auto& producer : producers_) producer.stop();
    bool settled = true;
    for (auto& producer : producers_) settled = producer.finish() && settled;
    return settled && acked_.failed() == 0;
}

Samples Load::latencies_since(steady_clock::time_point begin) const {
    Samples all;
    for (const auto& producer : producers_) all.add(producer.latencies_since(begin));
    return all;
}

}  // namespace anel::command::bench

// Clients that push as fast as they may, and what became of their messages.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/client.hpp"
#include "client/command/bench/ring.hpp"

namespace anel::command::bench {

using std::chrono::steady_clock;

/// Times, and what people ask of them.
class Samples {
public:
    void add(steady_clock::duration took);
    void add(const Samples& others);
    [[nodiscard]] std::int64_t percentile_us(double share) const;
    /// The usual percentiles, and the whole distribution as pairs of share and time.
    [[nodiscard]] nlohmann::json summary() const;

private:
    [[nodiscard]] std::vector<std::int64_t> sorted_us() const;

    std::vector<std::int64_t> us_;
};

/// Durable messages so far, and the longest time in which there was none. Heard of by the threads of all clients.
class Acked {
public:
    void settled(const client::Settled& run);
    [[nodiscard]] std::uint64_t messages() const { return messages_; }
    [[nodiscard]] std::uint64_t failed() const { return failed_; }

    /// Forgets longer gaps of before. The one that runs now counts from its beginning.
    void watch_gaps();
    /// The longest since then, the one that runs now included.
    [[nodiscard]] steady_clock::duration longest_gap() const;
    /// How long the last ack is ago.
    [[nodiscard]] steady_clock::duration running_gap() const;

private:
    std::atomic<std::uint64_t> messages_{0};
    std::atomic<std::uint64_t> failed_{0};
    mutable std::mutex mutex_;
    steady_clock::time_point last_ = steady_clock::now();
    steady_clock::duration longest_{0};
};

/// A client that pushes on a thread of its own: as fast as it may, or so many messages a second.
class Producer {
public:
    Producer(client::Options options, std::size_t size, double rate, Acked& acked);
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;
    ~Producer();
    /// Nothing more is pushed, soon.
    void stop() { stop_ = true; }
    /// Stops. @return all that was pushed is settled.
    bool finish();
    /// With a rate: latencies of messages that were due since `begin`, one of every `sampled_every`. After finish().
    [[nodiscard]] Samples latencies_since(steady_clock::time_point begin) const;

private:
    static constexpr std::uint64_t sampled_every = 16;
    struct Sample {
        steady_clock::time_point due;
        steady_clock::duration took;
    };
    void push_freely();
    void push_at_rate();
    void settled(const client::Settled& run);
    [[nodiscard]] steady_clock::time_point due(std::uint64_t message) const;

    Acked& acked_;
    double rate_;
    steady_clock::time_point begun_ = steady_clock::now();
    std::vector<Sample> samples_;  ///< written by the client's thread alone
    std::string payload_;
    std::optional<client::Client> client_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

/// All clients of a bench at full load.
class Load {
public:
    Load(const Ring& ring, const Options& options, bool all_nodes);
    [[nodiscard]] Acked& acked() { return acked_; }
    /// @return all that was pushed is durable.
    bool finish();
    [[nodiscard]] Samples latencies_since(steady_clock::time_point begin) const;

private:
    Acked acked_;
    std::list<Producer> producers_;
};

}  // namespace anel::command::bench

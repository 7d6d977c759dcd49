// What every load generator of the bench is told, and what it tells: how many messages became durable, how fast.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace anel::bench {

using Clock = std::chrono::steady_clock;

struct Load {
    std::string host = "127.0.0.1";
    std::vector<std::uint16_t> ports;  ///< client i talks to the i-th, round about
    std::string path;                  ///< of the file, where there is no server
    std::size_t clients = 5;
    std::size_t size = 100;  ///< bytes of a message
    std::size_t window = 1;  ///< requests in flight of a client
    std::size_t batch = 1;   ///< messages of a request
    double warm_up = 1;      ///< seconds that do not count
    double seconds = 3;
};

/// Counts acked messages of all clients, and each ack's latency where one request is in flight.
class Meter {
public:
    explicit Meter(const Load& load);

    [[nodiscard]] bool over() const { return Clock::now() >= end_; }
    [[nodiscard]] Clock::duration left() const { return end_ - Clock::now(); }
    /// To be called by one thread for one `client`.
    void acked(std::size_t client, std::size_t messages);
    void took(std::size_t client, Clock::duration latency);
    /// What all clients together were acked in the time that counts.
    [[nodiscard]] std::uint64_t messages() const;
    /// One line of JSON on standard output.
    void report() const;

private:
    struct alignas(64) Count {
        std::uint64_t messages = 0;
        std::vector<std::int64_t> latencies_us;
    };
    double seconds_;
    Clock::time_point begin_;
    Clock::time_point end_;
    std::vector<Count> counts_;
};

/// Prints {"messages": ..., "seconds": ..., "messages_per_second": ...}.
void report_count(std::uint64_t messages, double seconds);

void run_redis(const Load& load);
void run_nats(const Load& load);
void run_etcd(const Load& load);
void run_anel(const Load& load);
void run_flock(const Load& load);
void run_pair(const Load& load);
void run_disk(const Load& load);

}  // namespace anel::bench

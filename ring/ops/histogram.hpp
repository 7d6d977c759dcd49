// How often a value was seen, by size: whole numbers in buckets that grow by a quarter of an octave.
//
// Counting is an index and an addition, so it may stand where messages pass. Reading is for others: Prometheus gets
// the octaves, the status page the quantiles of what came between two looks.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace anel {

class Histogram {
public:
    static constexpr std::size_t bucket_count = 104;  ///< values from 2^27 on share the last one

    void observe(std::uint64_t value) {
        ++counts_[bucket_of(value)];
        ++count_;
        sum_ += value;
    }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t sum() const { return sum_; }
    [[nodiscard]] std::uint64_t in_bucket(std::size_t bucket) const { return counts_[bucket]; }
    /// How many values were below 2^`power`, exactly; `power` is 2 to 26.
    [[nodiscard]] std::uint64_t below_power(unsigned power) const {
        std::uint64_t below = 0;
        for (std::size_t bucket = 0; bucket < bucket_of(std::uint64_t{1} << power); ++bucket) below += counts_[bucket];
        return below;
    }

    /// Values below 4 have a bucket each; above, each octave has four.
    [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) {
        if (value < 4) return static_cast<std::size_t>(value);
        const auto octave = static_cast<unsigned>(std::bit_width(value)) - 1;
        const auto bucket = 4 * (octave - 1) + ((value >> (octave - 2)) & 3U);
        return bucket < bucket_count ? static_cast<std::size_t>(bucket) : bucket_count - 1;
    }
    /// The least value of a bucket.
    [[nodiscard]] static constexpr std::uint64_t least_of(std::size_t bucket) {
        return bucket < 4 ? bucket : (4 + bucket % 4) << (bucket / 4 - 1);
    }

private:
    std::array<std::uint64_t, bucket_count> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
};

/// One that a thread fills while others read it.
class SharedHistogram {
public:
    void observe(std::uint64_t value) {
        const std::scoped_lock guard{mutex_};
        histogram_.observe(value);
    }
    [[nodiscard]] Histogram now() const {
        const std::scoped_lock guard{mutex_};
        return histogram_;
    }

private:
    mutable std::mutex mutex_;
    Histogram histogram_;
};

}  // namespace anel

// output.txt on the simulated volume: bytes written at offsets, and what a power cut leaves of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tests/simulation/world.hpp"

namespace anel::simulation {

/// A sync of the output under way: the sectors that it covers, as they were when it began.
struct OutputSync {
    std::map<std::size_t, std::string> sectors;
    std::uint64_t errors = 0;  ///< that the descriptor has heard of
};

/// Checks S5 at every write: a byte that a reader may have seen never becomes another one, and there are no holes.
/// Behind the bytes that all see stand those of the disk, sector by sector.
class SimOutput {
public:
    void write(std::uint64_t offset, std::string_view text);
    [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }
    /// What stands in the file once recovery is complete.
    [[nodiscard]] const std::string& promised() const { return promised_; }
    /// Whether it stands there now, up to `end`.
    [[nodiscard]] bool whole(std::uint64_t end) const {
        return end <= bytes_.size() && bytes_.compare(0, end, promised_, 0, end) == 0;
    }

    /// Failed syncs so far: a descriptor hears of those that came after it was opened.
    [[nodiscard]] std::uint64_t errors() const { return errors_; }
    [[nodiscard]] OutputSync begin_sync(std::uint64_t errors_heard) const;
    /// @return whether fsync returned 0.
    [[nodiscard]] bool finish_sync(const OutputSync& sync);
    /// The disk refused: the sectors count as clean and are not on it.
    void fail_sync(const OutputSync& sync);

    /// Any subset of the sectors that no finished sync covers goes; only what lies below `durable` stays promised to
    /// readers. @return whether anything was lost.
    bool power_cut(Random& random, std::uint64_t durable);

private:
    static constexpr std::size_t sector_bytes = 64;
    [[nodiscard]] std::string sector(std::size_t index) const {
        return bytes_.substr(index * sector_bytes, sector_bytes);
    }
    static void store(std::string& disk, std::size_t index, std::string_view content);

    std::string bytes_;
    std::string promised_;
    std::string disk_;
    std::set<std::size_t> dirty_;  ///< sectors written since a sync covered them
    std::uint64_t errors_ = 0;
};

}  // namespace anel::simulation

// output.txt on the simulated volume: bytes written at offsets, and what a power cut leaves of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/simulation/world.hpp"

namespace anel::simulation {

/// Checks S5 at every write: a byte that a reader may have seen never becomes another one, and there are no holes.
class SimOutput {
public:
    void write(std::uint64_t offset, std::string_view text);
    [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }
    /// What stands in the file once recovery is complete.
    [[nodiscard]] const std::string& promised() const { return promised_; }

    /// An fsync that began when the file had `size` bytes returned 0.
    void synced(std::uint64_t size) { on_disk_ = std::max(on_disk_, std::min<std::uint64_t>(size, bytes_.size())); }
    /// Unsynced bytes go or become holes; only what lies below `durable` stays promised to readers.
    void power_cut(Random& random, std::uint64_t durable);

private:
    std::string bytes_;
    std::string promised_;
    std::uint64_t on_disk_ = 0;
};

}  // namespace anel::simulation

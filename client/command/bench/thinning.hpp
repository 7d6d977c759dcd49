// Full load for an hour writes more than a small disk holds. Thinning gives the space of what is written and checked
// back while a bench runs: holes take the place of bytes, offsets stay as they are. For folders of a bench alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

namespace anel::command::bench {

class Thinning {
public:
    explicit Thinning(std::filesystem::path data);
    Thinning(const Thinning&) = delete;
    Thinning& operator=(const Thinning&) = delete;
    ~Thinning() { (void)finish(); }

    /// Ends. @return what was wrong with output.txt, or kept it from being checked, in words; or nothing.
    std::string finish();
    [[nodiscard]] std::uint64_t mebibytes() const { return done_; }

private:
    void run();
    /// Checks the blocks that were finished since against their sums, and frees those far behind the checkpoint.
    [[nodiscard]] std::string turn();

    std::filesystem::path data_;
    std::atomic<std::uint64_t> done_{0};  ///< blocks of a MiB
    std::string problem_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace anel::command::bench

// Several processes that work beside each other and count.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace anel::bench {

/// What a process leaves for the others, in memory that all of them share.
struct alignas(64) Shared {
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint16_t> port{0};
};

/// Runs `work(number, all)` in so many processes and waits for them; they end with this one, or when one of them fails.
/// @return the sum of what they counted   @throws std::runtime_error when one of them fails
std::uint64_t run_processes(std::size_t processes, const std::function<void(std::size_t number, Shared* all)>& work);

}  // namespace anel::bench

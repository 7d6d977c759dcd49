// Makes decided rounds durable on a thread of its own: one fdatasync at a time, requests that come meanwhile merge.
//
// The descriptor rule (docs/DESIGN.md section 6, "Durable"): Linux reports a write-back error once per descriptor.
// So this thread has its own descriptor of each segment, opened early; what was or may have been written before
// it was opened is written again through it, byte for byte, before its first fdatasync counts.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "ring/ledger/segment.hpp"

namespace anel {

/// Told on the sync thread (or the checkpoint thread): rounds up to here are durable, or why nothing is any more.
using DurableCallback = std::function<void(tl::expected<Round, Error>)>;
/// Told on the sync thread: how long one fdatasync of a segment took.
using SyncTookCallback = std::function<void(std::chrono::microseconds)>;

class SyncThread {
public:
    SyncThread(FileSystem& files, DurableCallback callback, SyncTookCallback took);
    SyncThread(const SyncThread&) = delete;
    SyncThread& operator=(const SyncThread&) = delete;
    ~SyncThread();  ///< finishes the sync that runs; requests that wait are dropped

    /// Takes over a segment's own descriptor and map.
    /// @param suspect_slots  slots whose records may have been written before it was opened
    void watch(std::unique_ptr<Segment> segment, std::uint64_t suspect_slots);
    /// Segments below have a successor, so they are durable.
    void forget_below(SegmentNumber number);

    /// Reports through the callback when `round` is durable.
    void request(SegmentNumber segment, Round round);
    /// Waits until it is. `sync_failed`, `ledger_damaged`, `io_failed`.
    [[nodiscard]] Result<void> wait_durable(SegmentNumber segment, Round round);
    /// What failed here or was told to fail(); this node decides nothing more.
    [[nodiscard]] Result<void> check();
    /// Another thread's sync failed (the checkpoint's): tells the callback once, vouches for nothing more.
    void fail(const Error& error);

private:
    struct Watched {
        std::unique_ptr<Segment> segment;
        std::uint64_t suspect_slots = 0;
    };
    struct Request {
        SegmentNumber segment;
        Round round;
        bool report = false;
    };
    void run();
    [[nodiscard]] Result<Round> sync(Watched& watched);
    [[nodiscard]] Result<void> write_again(Watched& watched, std::uint64_t slots);

    FileSystem& files_;
    DurableCallback callback_;
    SyncTookCallback took_;
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    std::deque<Request> requests_;
    std::map<SegmentNumber, std::shared_ptr<Watched>> watched_;
    std::map<SegmentNumber, Round> durable_;  ///< what this thread made durable, for those who wait
    std::optional<Error> error_;
    Bytes buffer_;
    std::thread thread_;  ///< last: starts when all else stands
};

}  // namespace anel

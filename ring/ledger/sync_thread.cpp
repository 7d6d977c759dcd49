#include "ring/ledger/sync_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "common/assert.hpp"
#include "ring/ledger/fail_points.hpp"

namespace anel {

SyncThread::SyncThread(FileSystem& files, DurableCallback callback, SyncTookCallback took)
    : files_{files}, callback_{std::move(callback)}, took_{std::move(took)}, thread_{[this] { run(); }} {}

SyncThread::~SyncThread() {
    {
        const std::scoped_lock guard{mutex_};
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void SyncThread::watch(std::unique_ptr<Segment> segment, std::uint64_t suspect_slots) {
    const SegmentNumber number = segment->number();
    const std::scoped_lock guard{mutex_};
    watched_.insert_or_assign(number, std::make_shared<Watched>(Watched{std::move(segment), suspect_slots}));
}

void SyncThread::forget_below(SegmentNumber number) {
    {
        const std::scoped_lock guard{mutex_};
        watched_.erase(watched_.begin(), watched_.lower_bound(number));
        durable_.erase(durable_.begin(), durable_.lower_bound(number));
    }
    changed_.notify_all();
}

void SyncThread::request(SegmentNumber segment, Round round) {
    {
        const std::scoped_lock guard{mutex_};
        if (error_) {
            return;
        }
        requests_.push_back({segment, round, true});
    }
    changed_.notify_all();
}

Result<void> SyncThread::wait_durable(SegmentNumber segment, Round round) {
    std::unique_lock lock{mutex_};
    if (!error_) {
        requests_.push_back({segment, round, false});
        changed_.notify_all();
    }
    const auto is_durable = [&] {
        const auto known = durable_.find(segment);
        return (known != durable_.end() && known->second >= round) || !watched_.contains(segment);
    };
    changed_.wait(lock, [&] { return error_ || stop_ || is_durable(); });
    if (error_) {
        return tl::unexpected<Error>{*error_};
    }
    if (!is_durable()) {
        return failure(ErrorCode::sync_failed, "the ledger was closed before the round was durable");
    }
    return {};
}

Result<void> SyncThread::check() {
    if (!failed_.load(std::memory_order_relaxed)) {
        return {};
    }
    const std::scoped_lock guard{mutex_};
    return tl::unexpected<Error>{*error_};
}

void SyncThread::fail(const Error& error) {
    {
        const std::scoped_lock guard{mutex_};
        if (error_) {
            return;
        }
        error_ = error;
        failed_ = true;
        requests_.clear();
    }
    changed_.notify_all();
    callback_(tl::unexpected<Error>{error});
}

void SyncThread::run() {
    std::unique_lock lock{mutex_};
    while (true) {
        changed_.wait(lock, [this] { return stop_ || (!requests_.empty() && !error_); });
        if (stop_) {
            return;
        }
        // All requests of one segment are answered by one fdatasync.
        const SegmentNumber number = requests_.front().segment;
        Round wanted;
        bool report = false;
        std::erase_if(requests_, [&](const Request& request) {
            if (request.segment != number) {
                return false;
            }
            wanted = std::max(wanted, request.round);
            report = report || request.report;
            return true;
        });
        const auto found = watched_.find(number);
        const auto watched = found == watched_.end() ? nullptr : found->second;
        lock.unlock();
        // A segment that is watched no more has a successor, whose maker made it durable.
        Result<Round> durable = watched ? sync(*watched) : wanted;
        ANEL_ASSERT(!durable || *durable >= wanted);
        if (!durable) {
            fail(durable.error());
        } else if (report) {
            callback_(*durable);
        }
        lock.lock();
        if (durable && watched_.contains(number)) {
            auto& known = durable_[number];
            known = std::max(known, *durable);
        }
        changed_.notify_all();
    }
}

Result<Round> SyncThread::sync(Watched& watched) {
    Segment& segment = *watched.segment;
    const std::uint64_t slots = segment.word() & ~Segment::sealed_bit;  // read before the call
    const Round last{segment.base_round().value + slots};
    if (slots <= segment.durable()) {
        return last;  // another node's sync, or an earlier one of ours, covered it
    }
    if (auto again = write_again(watched, slots); !again) {
        return forward_error(again);
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto effect = fail_points::pass("segment.sync");
    errno = effect.error;
    if (effect.error != 0 || files_.fdatasync(segment.fd()) != 0) {
        return sync_failure(fmt::format(".anel/journal/{}", segment.number().value), errno);
    }
    if (took_) took_(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun));
    fail_points::pass("segment.synced");
    segment.raise_durable(slots);
    return last;
}

Result<void> SyncThread::write_again(Watched& watched, std::uint64_t slots) {
    Segment& segment = *watched.segment;
    const std::uint64_t last = std::min(slots, watched.suspect_slots);
    for (std::uint64_t slot = segment.durable() + 1; slot <= last; ++slot) {
        auto before = segment.position_at(slot - 1);
        if (!before) {
            return forward_error(before);
        }
        auto record = segment.read(slot, buffer_);
        if (!record) {
            return forward_error(record);
        }
        if (auto written = write_all(files_, segment.fd(), {buffer_}, before->file_offset, "segment.write_again",
                                     "a record of the journal");
            !written) {
            return written;
        }
    }
    if (slots >= watched.suspect_slots) {
        watched.suspect_slots = 0;
    }
    return {};
}

}  // namespace anel

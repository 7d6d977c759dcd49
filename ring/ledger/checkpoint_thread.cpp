#include "ring/ledger/checkpoint_thread.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {

CheckpointThread::CheckpointThread(World world, Output output, Round suspect_round)
    : world_{world}, output_{std::move(output)}, suspect_round_{suspect_round}, thread_{[this] { run(); }} {}

CheckpointThread::~CheckpointThread() {
    {
        const std::scoped_lock guard{mutex_};
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void CheckpointThread::follow(Output output) {
    const std::scoped_lock guard{mutex_};
    newer_outputs_.push_back(std::move(output));
}

void CheckpointThread::suspect(Round round) {
    const std::scoped_lock guard{mutex_};
    newer_suspect_ = std::max(newer_suspect_, round);
}

void CheckpointThread::take_news() {
    for (auto& newer : newer_outputs_) {
        output_.take(std::move(newer));
    }
    newer_outputs_.clear();
    suspect_round_ = std::max(suspect_round_, newer_suspect_);
}

void CheckpointThread::begin(SegmentNumber segment, Snapshot snapshot) {
    {
        const std::scoped_lock guard{mutex_};
        waiting_ = Job{segment, std::move(snapshot)};
    }
    changed_.notify_all();
}

void CheckpointThread::close(std::unique_ptr<Segment> segment) {
    {
        const std::scoped_lock guard{mutex_};
        unneeded_.push_back(std::move(segment));
    }
    changed_.notify_all();
}

void CheckpointThread::wait_idle() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !waiting_ && unneeded_.empty() && !busy_; });
}

void CheckpointThread::run() {
    std::unique_lock lock{mutex_};
    while (true) {
        const auto is_asked = [this] { return stop_ || waiting_ || !unneeded_.empty(); };
        if (freeing_.done()) {
            changed_.wait(lock, is_asked);
        } else {
            changed_.wait_for(lock, Freeing::pause, is_asked);
        }
        if (stop_) {
            return;
        }
        auto job = std::exchange(waiting_, std::nullopt);
        auto unneeded = std::exchange(unneeded_, {});
        take_news();
        busy_ = true;
        lock.unlock();
        unneeded.clear();
        freeing_.step(world_.files);
        auto written = job ? write(*job) : Result<void>{};
        // A full disk only means that the journal stays longer; the next checkpoint tries again.
        if (!written && written.error().code != ErrorCode::disk_full) {
            world_.sync.fail(written.error());
        }
        lock.lock();
        busy_ = false;
        changed_.notify_all();
    }
}

Result<void> CheckpointThread::write(Job& job) {
    const Round round = job.snapshot.round;
    if (auto durable = world_.sync.wait_durable(job.segment, round); !durable) {
        return durable;
    }
    if (auto named = check_folder(); !named) {
        return named;
    }
    while (true) {
        auto previous = newest_mark(world_.files, world_.folders, world_.identity.id);
        if (!previous) {
            return forward_error(previous);
        }
        if (*previous && (*previous)->round >= round) {
            return {};
        }
        auto walk = begin_walk(*previous);
        if (!walk) {
            return forward_error(walk);
        }
        auto walked = *walk ? walk_to(**walk, round) : Result<bool>{false};
        if (!walked) {
            return forward_error(walked);
        }
        if (!*walked) {
            if (auto newer = explain_trimmed(*previous); !newer) {
                return newer;
            }
            continue;
        }
        const Position& at = (*walk)->position;
        auto there = output_.size_of(output_.place_before(at.output_end));
        if (!there || !*there) {
            return there ? Result<void>{} : forward_error(there);  // finished and removed since: the next one will do
        }
        if (auto same = check_tail((*walk)->sums); !same) {
            return same;
        }
        auto tail = output_.tail_hash(at.output_end);
        if (!tail) {
            return forward_error(tail);
        }
        if (auto synced = make_output_durable(**walk, *previous); !synced) {
            return synced;
        }
        const CheckpointMark mark{.round = round,
                                  .sequence = at.sequence,
                                  .wall_us = at.wall_us,
                                  .segment = (*walk)->segment->number(),
                                  .output_end = at.output_end,
                                  .hash = at.hash,
                                  .tail_hash = *tail,
                                  .block_crc = (*walk)->sums.partial()};
        // The mark names a segment whose maker may sleep before it syncs the folder; what is below goes for good.
        if (auto synced = fsync_folder(world_.files, world_.folders.journal.get(), ".anel/journal"); !synced) {
            return synced;
        }
        const Checkpoint checkpoint{.mark = mark, .snapshot = std::move(job.snapshot)};
        if (auto linked = write_checkpoint(world_.files, world_.folders, world_.identity.id, checkpoint); !linked) {
            return linked;
        }
        output_.forget_below(at.output_end);
        return check_folder().and_then([&] { return trim(mark); }).and_then([&] {
            return trim_waiting_outputs(world_.files, world_.folders, (*walk)->segment->header().output);
        });
    }
}

Result<void> CheckpointThread::check_folder() const {
    auto open = status_of(world_.folders.checkpoint.get(), ".anel/checkpoint");
    if (!open) {
        return forward_error(open);
    }
    if (!status_if_same(world_.folders.anel.get(), "checkpoint", open->st_ino)) {
        return failure(ErrorCode::outside_hands,
                       fmt::format(".anel/checkpoint was removed or replaced while the ring ran: {}",
                                   way_out::put_back(world_.folders.path)));
    }
    return {};
}

Result<void> CheckpointThread::check_tail(const BlockSums& sums) {
    struct Part {
        std::uint64_t begin;
        std::uint64_t end;
        std::uint32_t crc;
    };
    const std::uint64_t border = sums.offset() / block_bytes * block_bytes;
    std::vector<Part> parts{{border, sums.offset(), sums.partial()}};
    if (!sums.finished().empty()) {
        parts.push_back({border - block_bytes, border, sums.finished().back()});
    }
    auto kept_from = output_.begin();
    if (!kept_from) {
        return forward_error(kept_from);
    }
    for (const auto& part : parts) {
        if (part.begin < *kept_from) {
            continue;
        }
        buffer_.resize(part.end - part.begin);
        auto got = output_.read(buffer_, part.begin);
        if (!got) {
            return forward_error(got);
        }
        if (*got < buffer_.size() || crc32c(buffer_) != part.crc) {
            return failure(ErrorCode::outside_hands,
                           fmt::format("output.txt was changed while the ring ran, somewhere in the {} bytes before "
                                       "byte {}: {}",
                                       buffer_.size(), part.end, way_out::repair(world_.folders.path)));
        }
    }
    return {};
}

Result<void> CheckpointThread::trim(const CheckpointMark& mark) {
    auto removed = trim_below(world_.files, world_.folders, mark);
    if (!removed) {
        return forward_error(removed);
    }
    if (removed->empty()) {
        return {};
    }
    if (auto synced = fsync_folder(world_.files, world_.folders.journal.get(), ".anel/journal"); !synced) {
        return synced;
    }
    freeing_.take(std::move(*removed));
    return {};
}

Result<void> CheckpointThread::make_output_durable(const Walk& walk, const std::optional<CheckpointMark>& previous) {
    if (auto synced = output_.make_durable(previous ? previous->output_end : 0); !synced) {
        return synced;
    }
    for (const auto& front : walk.fronts) {
        if (auto written = write_series_front(world_.files, world_.folders.anel.get(), front); !written) {
            return written;
        }
    }
    return write_block_sums(world_.files, world_.folders, walk.sums);
}

Result<std::unique_ptr<Segment>> CheckpointThread::open(SegmentNumber number) {
    return open_kept_segment(world_.files, world_.folders, number, world_.identity.id, world_.boot, Access::read);
}

Result<bool> CheckpointThread::enter(Walk& walk, SegmentNumber number) {
    if (!walk.successor) {
        auto segment = open(number);
        if (!segment) {
            return forward_error(segment);
        }
        walk.segment = std::move(*segment);
    } else {
        walk.segment = std::move(walk.successor);
    }
    if (!walk.segment) {
        return false;
    }
    auto successor = open(number.next());
    if (!successor) {
        return forward_error(successor);
    }
    walk.successor = std::move(*successor);
    if (walk.successor) {
        walk.segment->set_final_slots(walk.successor->header().previous_slots);
    }
    return true;
}

Result<std::optional<CheckpointThread::Walk>> CheckpointThread::begin_walk(
    const std::optional<CheckpointMark>& previous) {
    Walk walk{.segment = {}, .successor = {}, .position = {}, .sums = BlockSums{0, 0}, .fronts = {}};
    auto entered = enter(walk, previous ? previous->segment : SegmentNumber{1});
    if (!entered) {
        return forward_error(entered);
    }
    if (!*entered) {
        return std::optional<Walk>{};
    }
    const std::uint64_t base = walk.segment->base_round().value;
    auto at = walk.segment->position_at(previous ? previous->round.value - base : 0);
    if (!at) {
        return forward_error(at);
    }
    walk.position = *at;
    if (previous) {
        if (at->hash != previous->hash) {
            return failure(ErrorCode::ledger_damaged,
                           fmt::format("the journal does not continue checkpoint {}", previous->round.value));
        }
        walk.sums = BlockSums{previous->output_end, previous->block_crc};
    } else {
        if (auto read = add_from_output(walk.sums, world_.identity.adopted_bytes); !read) {
            return forward_error(read);
        }
    }
    if (auto gap = take_gap(walk); !gap) {
        return forward_error(gap);
    }
    return std::optional{std::move(walk)};
}

Result<void> CheckpointThread::add_from_output(BlockSums& sums, std::uint64_t end) {
    while (sums.offset() < end) {
        buffer_.resize(std::min(block_bytes, end - sums.offset()));
        auto got = output_.read(buffer_, sums.offset());
        if (!got) {
            return forward_error(got);
        }
        sums.add(buffer_);
    }
    return {};
}

Result<void> CheckpointThread::take_gap(Walk& walk) {
    const auto& header = walk.segment->header();
    // What an operator adopted behind the last round stands in no record.
    if (auto read = add_from_output(walk.sums, header.gap_begin); !read) {
        return read;
    }
    if (walk.sums.offset() == header.gap_begin && header.output.file > 1 && header.output.segment == header.number) {
        walk.fronts.push_back({header.output.file, walk.sums.partial()});
    }
    if (walk.sums.offset() != header.gap_begin || header.gap_begin == header.base_offset) {
        return {};
    }
    if (header.base_round <= suspect_round_.value) {
        if (auto written = output_.write_filler(header.gap_begin, header.base_offset); !written) {
            return written;
        }
    }
    return for_each_filler(header.gap_begin, header.base_offset, [&](std::string_view part, std::uint64_t) {
        walk.sums.add(as_bytes(part));
        return Result<void>{};
    });
}

Result<bool> CheckpointThread::walk_to(Walk& walk, Round round) {
    while (true) {
        const auto slots = walk.segment->slots();
        if (!slots) {
            return tl::unexpected<Error>{slots.error()};
        }
        const std::uint64_t last = std::min(*slots, round.value - walk.segment->base_round().value);
        for (std::uint64_t slot = walk.position.slots + 1; slot <= last; ++slot) {
            if (auto taken = take_slot(walk, slot, round); !taken) {
                return forward_error(taken);
            }
        }
        const bool at_end = walk.position.slots == *slots;
        if (walk.position.round == round && !(at_end && walk.successor)) {
            return true;
        }
        if (!walk.successor) {
            return false;
        }
        const std::uint64_t hash = walk.position.hash;
        auto entered = enter(walk, walk.segment->number().next());
        if (!entered) {
            return forward_error(entered);
        }
        auto begin = walk.segment->position_at(0);
        if (!begin) {
            return forward_error(begin);
        }
        if (begin->hash != hash || begin->round != walk.position.round) {
            return failure(
                ErrorCode::ledger_damaged,
                fmt::format(".anel/journal/{} does not continue the one before it", walk.segment->number().value));
        }
        walk.position = *begin;
        if (auto gap = take_gap(walk); !gap) {
            return forward_error(gap);
        }
    }
}

Result<void> CheckpointThread::explain_trimmed(const std::optional<CheckpointMark>& previous) {
    auto now = newest_mark(world_.files, world_.folders, world_.identity.id);
    if (!now) {
        return forward_error(now);
    }
    if (*now == previous) {
        return failure(ErrorCode::ledger_damaged,
                       fmt::format("the journal in {} behind the newest checkpoint is missing: {}",
                                   world_.folders.path.string(), way_out::put_back(world_.folders.path)));
    }
    return {};
}

Result<void> CheckpointThread::take_slot(Walk& walk, std::uint64_t slot, Round last) {
    auto after = walk.segment->position_at(slot);
    if (!after) {
        return forward_error(after);
    }
    auto header = walk.segment->header_at(slot);
    if (!header) {
        return forward_error(header);
    }
    const bool fits = walk.sums.fits(header->text_bytes);
    Result<BytesView> text = BytesView{};
    // The last round is written again in any case: its holder may sleep between deciding and writing it.
    if (after->round <= suspect_round_ || after->round == last) {
        auto record = walk.segment->read(slot, buffer_);
        if (!record) {
            return forward_error(record);
        }
        if (auto written = output_.write(record->text, header->output_offset); !written) {
            return written;
        }
        text = as_bytes(record->text);
    } else if (!fits) {
        text = walk.segment->read_text(slot, buffer_);
        if (!text) {
            return forward_error(text);
        }
    }
    if (fits) {
        walk.sums.add(header->text_crc, header->text_bytes);
    } else if (walk.sums.add(*text) != header->text_crc) {
        return walk.segment->damaged(slot, walk.position.file_offset, "the checksum of its content is wrong");
    }
    walk.position = *after;
    return {};
}

}  // namespace anel

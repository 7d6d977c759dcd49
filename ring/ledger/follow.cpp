// Finding the newest segment, however long this node slept and whatever was trimmed meanwhile.
#include <fmt/format.h>

#include <limits>

#include "ring/ledger/file_ledger.hpp"

namespace anel {

Segment* FileLedger::newest() const { return segments_.empty() ? nullptr : segments_.rbegin()->second.get(); }

Result<void> FileLedger::follow() {
    auto found = follow_segments();
    if (found && new_descriptor_ && newest() != nullptr) {
        // No segment follows this one now, so all that was written before the descriptor was opened is of rounds up to
        // here.
        auto slots = newest()->slots();
        if (!slots) {
            return forward_error(slots);
        }
        checkpoints_->suspect({newest()->base_round().value + *slots + 1});
        new_descriptor_ = false;
    }
    return found;
}

Result<void> FileLedger::follow_segments() {
    while (newest() != nullptr) {
        if (!newest()->sealed() && !newest()->foreign()) {
            return {};
        }
        const SegmentNumber named = file_.named_segment();  // read before the look, which must find it
        auto next = open_segment(newest()->number().next());
        if (!next) {
            return forward_error(next);
        }
        if (*next) {
            if (auto taken = adopt_newest(std::move(*next), false); !taken) {
                return taken;
            }
            continue;
        }
        auto status = status_of(newest()->fd(), "the journal");
        if (!status) {
            return forward_error(status);
        }
        auto mark = newest_mark(files_, folders_, id());
        if (!mark) {
            return forward_error(mark);
        }
        const bool passed = *mark && (*mark)->segment > newest()->number();
        if (status->st_nlink > 0 && !passed) {
            return named > newest()->number() ? missing_segment(folders_, named) : Result<void>{};
        }
        break;  // it was trimmed while we slept, or is about to be
    }
    return find_newest();
}

Result<void> FileLedger::find_newest() {
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        auto kept = find_kept_journal(place());
        if (!kept) {
            return forward_error(kept);
        }
        if (kept->newest.value == 0) {
            return newest() != nullptr ? missing_segment(folders_, newest()->number()) : Result<void>{};
        }
        auto segment = open_segment(kept->newest);
        if (!segment) {
            return forward_error(segment);
        }
        if (*segment) {
            return adopt_newest(std::move(*segment), false);
        }
    }
    return failure(ErrorCode::io_failed, "the journal changes faster than it can be listed");
}

Result<std::unique_ptr<Segment>> FileLedger::open_segment(SegmentNumber number) {
    return open_kept_segment(files_, folders_, number, id(), boot_, Access::write);
}

Result<void> FileLedger::enter_output(const Segment& segment) {
    const auto& place = segment.header().output;
    if (place.file <= output_.place().file) {
        return {};
    }
    if (auto turned = output_.turn(place); !turned) {
        return turned;
    }
    output_.forget_below(output_.place().base);
    if (!checkpoints_) {
        return {};
    }
    // As early as we know of the file, like the sync thread's.
    auto own = Output::open(files_, folders_, true);
    if (!own) {
        return forward_error(own);
    }
    if (!*own) {
        return failure(ErrorCode::outside_hands, "output.txt was removed while the ring ran");
    }
    checkpoints_->follow(std::move(**own));
    new_descriptor_ = true;
    return {};
}

Result<void> FileLedger::adopt_newest(std::unique_ptr<Segment> segment, bool made_here) {
    const SegmentNumber number = segment->number();
    if (newest() != nullptr && newest()->number().next() == number) {
        newest()->set_final_slots(segment->header().previous_slots);
    } else {
        keep_segments(0);
    }
    // The sync thread gets a descriptor and map of its own, opened as early as we know of the segment.
    auto own = Segment::open(files_, folders_.journal.get(), number, id(), boot_, Access::write);
    if (!own) {
        return forward_error(own);
    }
    auto status = status_of(segment->fd(), "the journal");
    auto own_status = *own ? status_of((*own)->fd(), "the journal") : status;
    if (!status || !own_status) {
        return status ? forward_error(own_status) : forward_error(status);
    }
    if (!*own || own_status->st_ino != status->st_ino) {
        keep_segments(0);  // trimmed between the two looks
        return find_newest();
    }
    // Who only reads needs no new file; on a full disk whoever writes tries again.
    // Behind a restart of the machine the file before has to be written again first, which a grant does.
    auto entered = segment->foreign() ? Result<void>{} : enter_output(*segment);
    if (!entered && entered.error().code != ErrorCode::disk_full) {
        return entered;
    }
    std::uint64_t suspect = 0;
    if (!made_here) {
        const std::uint64_t slots = (*own)->word() & ~Segment::sealed_bit;
        suspect = segment->foreign() ? std::numeric_limits<std::uint64_t>::max() : slots + 1;
    }
    sync_->watch(std::move(*own), suspect);
    sync_->forget_below(number);
    reservation_ = {};
    segments_.emplace(number, std::move(segment));
    keep_segments(2);
    return {};
}

void FileLedger::keep_segments(std::size_t count) {
    while (segments_.size() > count) {
        auto oldest = segments_.extract(segments_.begin());
        if (checkpoints_) {
            checkpoints_->close(std::move(oldest.mapped()));
        }
    }
}

}  // namespace anel

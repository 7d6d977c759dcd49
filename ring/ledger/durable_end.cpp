#include "ring/ledger/durable_end.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ring/ledger/adoption.hpp"
#include "ring/ledger/bytes.hpp"
#include "ring/ledger/crc32c.hpp"

namespace anel {

Result<DurableMark> DurableEnd::look() {
    constexpr int attempts = 100;
    for (int attempt = 0;; ++attempt) {
        auto found = look_once();
        const bool touched = !found && found.error().code == ErrorCode::outside_hands;
        // The output may have gone on in a new file meanwhile: behind this segment, or in it.
        const bool moved = segment_ && (segment_->sealed() || segment_->header().output.file > output_.place().file);
        if (!touched || !moved || attempt == attempts) {
            return found;
        }
    }
}

Result<DurableMark> DurableEnd::look_once() {
    if (auto found = follow(); !found) {
        return forward_error(found);
    }
    if (!segment_) {
        return mark_;  // nothing was ever decided
    }
    if (auto known = output_.follow(segment_->header().output); !known) {
        return forward_error(known);
    }
    auto found = segment_->foreign() ? look_at_checkpoint() : look_at_words();
    auto begin = output_.begin();
    if (!found || !begin) {
        return found ? forward_error(begin) : found;
    }
    found->begin = mark_.begin = *begin;
    if (found->offset < mark_.offset) {
        mark_.all = found->all;
        return mark_;
    }
    // Bytes that are not there are nobody's to give.
    if (auto same = output_.check(found->offset); !same) {
        return forward_error(same);
    }
    mark_ = *found;
    return mark_;
}

Result<void> DurableEnd::follow() {
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (segment_ && !segment_->sealed() && !segment_->foreign()) {
            return {};
        }
        SegmentNumber wanted;
        if (segment_) {
            wanted = segment_->number().next();
        } else {
            auto kept = find_kept_journal(place_);
            if (!kept) {
                return forward_error(kept);
            }
            if (kept->newest.value == 0) {
                return {};
            }
            wanted = kept->newest;
        }
        auto next = open_kept_segment(place_.files, place_.folders, wanted, place_.id(), place_.boot, Access::read);
        if (!next) {
            return forward_error(next);
        }
        if (*next) {
            segment_ = std::move(*next);
            written_slots_ = 0;
            continue;
        }
        auto mark = newest_mark(place_.files, place_.folders, place_.id());
        if (!mark) {
            return forward_error(mark);
        }
        if (segment_ && !(*mark && (*mark)->segment > segment_->number())) {
            return {};  // sealed, and nobody has gone on yet
        }
        segment_.reset();  // the journal was trimmed beyond it since the last look
    }
    return failure(ErrorCode::io_failed, "the journal is trimmed faster than it can be read");
}

/// After a restart of the machine output.txt is what it was at the last checkpoint, and certain behind it only when the
/// next segment is made.
Result<DurableMark> DurableEnd::look_at_checkpoint() const {
    auto mark = newest_mark(place_.files, place_.folders, place_.id());
    if (!mark) {
        return forward_error(mark);
    }
    return *mark ? DurableMark{.begin = 0, .offset = (*mark)->output_end, .round = (*mark)->round, .all = true}
                 : DurableMark{};
}

Result<DurableMark> DurableEnd::look_at_words() {
    // In this order: what is durable was decided before.
    const std::uint64_t durable = segment_->durable();
    const std::uint64_t decided = segment_->word() & ~Segment::sealed_bit;
    std::uint64_t slots = std::min(durable, decided);
    // Whoever decided a round wrote the one before. The last one's holder may sleep in front of its write.
    if (slots > 0 && slots == decided) {
        auto written = is_written(slots);
        if (!written) {
            return forward_error(written);
        }
        slots -= *written ? 0 : 1;
    }
    if (slots == 0) {
        // The gap before the first round is written after the segment has its name.
        return DurableMark{
            .begin = 0, .offset = segment_->header().gap_begin, .round = segment_->base_round(), .all = decided == 0};
    }
    auto at = segment_->position_at(slots);
    if (!at) {
        return forward_error(at);
    }
    return DurableMark{.begin = 0, .offset = at->output_end, .round = at->round, .all = slots == decided};
}

Result<bool> DurableEnd::is_written(std::uint64_t slot) {
    if (slot <= written_slots_) {
        return true;
    }
    auto record = segment_->read(slot, record_);
    if (!record) {
        return forward_error(record);
    }
    written_.resize(record->text.size());
    auto got = output_.read(written_, record->header.output_offset);
    if (!got) {
        return forward_error(got);
    }
    if (*got < written_.size() || as_text(written_) != record->text) {
        return false;
    }
    written_slots_ = slot;
    return true;
}

Result<std::string> name_of_output(FileSystem& files, const OpenedLedger& opened) {
    const auto id = opened.file.identity().id;
    auto adoption = newest_adoption(files, opened.folders, id);
    if (!adoption) {
        return forward_error(adoption);
    }
    if (!*adoption) {
        return fmt::format("{:016x}", id.value);
    }
    const auto& accepted = **adoption;
    auto crc = crc32c(bytes_of(accepted.ledger_file));
    crc = crc32c(bytes_of(accepted.output), crc);
    crc = crc32c(bytes_of(accepted.tail_hash), crc);
    return fmt::format("{:016x}-{}-{:08x}", id.value, accepted.number, crc);
}

}  // namespace anel

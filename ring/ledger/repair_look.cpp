// What a repair finds: the journal against output.txt byte for byte, checksums for what is older.
#include <algorithm>

#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/repairer.hpp"

namespace anel {

/// A segment may name a new file that has not got output.txt's name yet.
Result<void> Repairer::follow_output() {
    auto kept = find_kept_journal(place_);
    if (!kept || kept->newest.value == 0) {
        return kept ? Result<void>{} : forward_error(kept);
    }
    auto newest = open_kept_segment(place_.files, place_.folders, kept->newest, place_.id(), place_.boot, Access::read);
    if (!newest || !*newest) {
        return newest ? missing_segment(place_.folders, kept->newest) : forward_error(newest);
    }
    const auto& place = (*newest)->header().output;
    // Behind a restart of the machine the file before may be torn: the ring writes it again and names the new one.
    const bool torn = (*newest)->foreign() && options_.mode != RepairMode::adopt;
    return options_.dry_run || torn ? output_->follow(place) : output_->turn(place);
}

Result<void> Repairer::look_at_files() {
    auto adoption = newest_adoption(place_.files, place_.folders, place_.id());
    if (!adoption) {
        return forward_error(adoption);
    }
    previous_ = std::move(*adoption);
    if (auto known = output_ ? follow_output() : Result<void>{}; !known) {
        return known;
    }
    const auto& identity = place_.file.identity();
    report_.ledger_copied = !same_file(place_.file.present(), ledger_file_of(identity, previous_));
    report_.output_replaced =
        output_ && !same_file(output_->identity(), output_of(identity, previous_, output_->place()));
    auto size = output_ ? output_->size() : Result<std::uint64_t>{0};
    if (!size) {
        return forward_error(size);
    }
    size_ = *size;
    report_.output_missing = !output_;
    auto kept_from = output_ ? output_->begin() : Result<std::uint64_t>{0};
    if (!kept_from) {
        return forward_error(kept_from);
    }
    kept_from_ = *kept_from;
    return output_ ? check_no_hole() : Result<void>{};
}

Result<void> Repairer::check_no_hole() {
    auto series = audit_->check_series();
    if (!series) {
        return forward_error(series);
    }
    return series->missing ? failure(ErrorCode::outside_hands, *series->missing) : Result<void>{};
}

Result<void> Repairer::walk_journal() {
    auto kept = find_kept_journal(place_);
    if (!kept) {
        return forward_error(kept);
    }
    kept_ = *kept;
    at_.output_end = place_.file.identity().adopted_bytes;
    report_.journal_from = at_.output_end;
    if (auto walked = walk(); !walked) {
        return walked;
    }
    report_.output_end = at_.output_end;
    report_.last_round = at_.round;
    report_.last_sequence = at_.sequence;
    if (size_ > at_.output_end) {
        report_.behind = ByteRange{at_.output_end, size_};
    }
    if (previous_ && previous_->is_behind(kept_.newest, at_.round) && previous_->tail_end > at_.output_end) {
        report_.kept_tail = previous_->tail();
    }
    const std::uint64_t known_end = report_.kept_tail ? report_.kept_tail->end : at_.output_end;
    if (size_ > known_end && !newest_is_foreign_ && !report_.restored()) {
        report_.appended_at = known_end - output_->place().base;
    }
    return {};
}

Result<void> Repairer::walk() {
    JournalWalk walk{place_, kept_.lowest, kept_.newest};
    for (bool first = true; kept_.newest.value != 0; first = false) {
        auto segment = walk.next();
        if (!segment) {
            return forward_error(segment);
        }
        if (*segment == nullptr) {
            break;
        }
        const std::uint64_t gap_begin = (*segment)->header().gap_begin;
        if (first) {
            report_.journal_from = gap_begin;
            overlay_.begin = gap_begin;
        } else if (!writing_ && gap_begin > std::max(size_, at_.output_end)) {
            // Adopted once behind a round; it stands in no record.
            lose({std::max(size_, at_.output_end), gap_begin});
        }
        if (auto done = walk_segment(**segment); !done) {
            return done;
        }
    }
    return {};
}

Result<void> Repairer::walk_segment(Segment& segment) {
    const auto& header = segment.header();
    auto filled = for_each_filler(header.gap_begin, header.base_offset,
                                  [this](std::string_view part, std::uint64_t at) { return put(part, at); });
    auto slots = segment.slots();
    if (!filled || !slots) {
        return filled ? forward_error(slots) : filled;
    }
    ahead_.forget();
    for (std::uint64_t slot = 1; slot <= *slots; ++slot) {
        auto record = segment.next(ahead_);
        auto counts = record ? counts_in_restored(segment, slot, *record) : Result<bool>{true};
        if (!record || !counts) {
            return record ? forward_error(counts) : forward_error(record);
        }
        if (!*counts) {
            segment.set_final_slots(slot - 1);
            slots = slot - 1;
            break;
        }
        if (auto done = put(record->text, record->header.output_offset); !done) {
            return done;
        }
    }
    auto end = segment.position_at(*slots);
    if (!end) {
        return forward_error(end);
    }
    at_ = *end;
    newest_is_foreign_ = segment.foreign();
    return {};
}

Result<bool> Repairer::counts_in_restored(Segment& segment, std::uint64_t slot, const Record& record) {
    const bool certain = !segment.foreign() || segment.final_slots() || slot <= (segment.word() & ~Segment::sealed_bit);
    if (writing_ || !report_.restored() || certain || size_ <= record.header.output_offset) {
        return true;
    }
    auto found = audit_->difference(record.text, record.header.output_offset);
    return found ? Result<bool>{!*found} : forward_error(found);
}

void Repairer::remember(std::string_view text, std::uint64_t offset) {
    const auto bytes = as_bytes(text);
    const std::uint64_t room = block_bytes - overlay_.begin % block_bytes;
    if (overlay_.bytes.size() < room && offset == overlay_.begin + overlay_.bytes.size()) {
        const auto part = bytes.first(std::min<std::size_t>(bytes.size(), room - overlay_.bytes.size()));
        overlay_.bytes.insert(overlay_.bytes.end(), part.begin(), part.end());
    }
    if (offset != tail_.begin + tail_.bytes.size()) {
        tail_ = {.begin = offset, .bytes = {}};
    }
    tail_.bytes.insert(tail_.bytes.end(), bytes.begin(), bytes.end());
    if (tail_.bytes.size() > 16 * Output::tail_bytes) {
        const std::uint64_t cut = tail_.bytes.size() - Output::tail_bytes;
        tail_.bytes.erase(tail_.bytes.begin(), tail_.bytes.begin() + static_cast<std::ptrdiff_t>(cut));
        tail_.begin += cut;
    }
}

Result<void> Repairer::put(std::string_view text, std::uint64_t offset) {
    remember(text, offset);
    if (offset < kept_from_) {
        return {};
    }
    auto found = audit_ ? audit_->difference(text, offset)
                        : Result<std::optional<ByteRange>>{ByteRange{offset, offset + text.size()}};
    if (!found) {
        return forward_error(found);
    }
    if (!*found || (*found)->begin == (*found)->end) {
        return {};
    }
    const ByteRange& range = **found;
    if (!writing_) {
        add_range(report_.rewritten, range);
        return {};
    }
    return output_->write(text.substr(range.begin - offset, range.end - range.begin), range.begin);
}

Result<void> Repairer::look_below() {
    const std::uint64_t end = kept_.mark ? kept_.mark->output_end : 0;
    if (!audit_) {
        auto series = read_series(place_.files, place_.folders.anel.get());
        if (!series) {
            return forward_error(series);
        }
        if (const auto begin = series->back().base; begin < report_.journal_from) {
            lose({begin, report_.journal_from});
        }
        return {};
    }
    auto blocks = audit_->check_blocks(place_.files, place_.folders, end, kept_.mark ? kept_.mark->block_crc : 0,
                                       previous_, overlay_);
    if (!blocks) {
        return forward_error(blocks);
    }
    report_.sums_lost_from = blocks->sums_end;
    pieces_ = std::move(blocks->adopted);
    for (const auto& fault : blocks->faults) {
        if (fault.begin < report_.journal_from) {
            take({fault.begin, std::min(fault.end, report_.journal_from)});
        }
    }
    if (end < report_.journal_from && size_ < report_.journal_from) {
        take({std::max(size_, end), report_.journal_from});
    }
    for (const auto& piece : blocks->changed_pieces) {
        if (piece.blank) {
            report_.rewritten.push_back(piece.range);
            pieces_.push_back(piece);
        } else {
            take(piece.range);
        }
    }
    return {};
}

Result<void> Repairer::look_behind() {
    if (!report_.kept_tail) {
        return {};
    }
    const ByteRange& tail = *report_.kept_tail;
    auto crc = crc_as_it_will_be(tail);
    if (!crc) {
        return forward_error(crc);
    }
    if (previous_->tail_crc ? *crc == *previous_->tail_crc : size_ >= tail.end) {
        return {};
    }
    const std::uint64_t there = std::clamp(size_, tail.begin, tail.end);
    if (tail.begin < there) {
        add_range(there < tail.end ? report_.unchecked : report_.changed, {tail.begin, there});
    }
    if (there < tail.end) {
        lose({there, tail.end});
    }
    return {};
}

void Repairer::lose(const ByteRange& range) {
    const auto covers = [&](const AdoptedPiece& piece) {
        return piece.blank && piece.range.begin <= range.begin && range.end <= piece.range.end;
    };
    if (!previous_ || std::none_of(previous_->pieces.begin(), previous_->pieces.end(), covers)) {
        add_range(report_.lost, range);
    }
}

void Repairer::take(const ByteRange& range) {
    for (const auto& place : output_->places()) {
        const ByteRange part{std::max({range.begin, place.base, kept_from_}),
                             std::min(range.end, output_->end_of(place.file))};
        if (part.begin < part.end) {
            take_of(place, part);
        }
    }
}

void Repairer::take_of(const OutputPlace& place, const ByteRange& range) {
    auto size = output_->size_of(place);
    const std::uint64_t there = std::clamp(size && *size ? place.base + **size : range.begin, range.begin, range.end);
    if (there < range.end) {
        lose({there, range.end});
    }
    // Of a MiB that was cut, the sum says nothing any more.
    const std::uint64_t whole = there < range.end ? there / block_bytes * block_bytes : there;
    const std::uint64_t checked =
        std::clamp(std::min(whole, report_.sums_lost_from.value_or(whole)), range.begin, there);
    if (range.begin < checked) {
        add_range(report_.changed, {range.begin, checked});
    }
    if (checked < there) {
        add_range(report_.unchecked, {checked, there});
    }
}

}  // namespace anel

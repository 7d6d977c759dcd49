// Sealing the newest segment and making the next one: a new epoch, or the same one going on.
//
// Everything a segment builds on is done before it has a name: the one before is durable, and output.txt has all
// its rounds. So a segment of this boot proves that for all who come later; only the gap before its own first
// byte is written after it has its name, because only then it is certain that this header is the one.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "common/assert.hpp"
#include "ring/ledger/adoption.hpp"
#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/file_ledger.hpp"

namespace anel {

Result<Grant> FileLedger::grant(Epoch highest_named) {
    if (auto works = sync_->check(); !works) {
        return forward_error(works);
    }
    if (auto found = follow(); !found) {
        return forward_error(found);
    }
    if (newest() != nullptr && newest()->epoch() > highest_named) {
        return failure(ErrorCode::newer_epoch, fmt::format("the ledger has epoch {}, the highest named was {}",
                                                           newest()->epoch().value, highest_named.value));
    }
    // Nothing may be built on a segment that is gone.
    auto named = newest() != nullptr ? check_names(*newest(), 0) : file_.check_name(folders_);
    if (named && newest() != nullptr) {
        named = finish_output(*newest()).and_then([this] { return enter_output(*newest()); });
    }
    if (!named) {
        return forward_error(named);
    }
    auto unborn = prepare_segment();
    if (!unborn) {
        return forward_error(unborn);
    }
    fail_points::pass("grant.before_seal");
    if (newest() != nullptr) {
        if (auto sealed = newest()->seal(); !sealed) {
            return forward_error(sealed);
        }
    }
    fail_points::pass("grant.sealed");
    const Epoch epoch = highest_named.next();
    auto number = make_next(std::move(*unborn), epoch);
    if (!number) {
        return forward_error(number);
    }
    return Grant{.epoch = epoch, .segment = *number};
}

Result<SegmentNumber> FileLedger::rotate(SegmentNumber current, Round last, std::optional<WallTime> new_output) {
    if (auto works = sync_->check(); !works) {
        return forward_error(works);
    }
    if (auto found = follow(); !found) {
        return forward_error(found);
    }
    if (newest() == nullptr || newest()->number() != current || newest()->foreign()) {
        return failure(ErrorCode::fenced, fmt::format("segment {} is not the newest", current.value));
    }
    ANEL_ASSERT(last >= newest()->base_round());
    if (auto entered = enter_output(*newest()); !entered) {
        return forward_error(entered);
    }
    auto unborn = prepare_segment();
    if (!unborn) {
        return forward_error(unborn);
    }
    if (auto made = new_output ? prepare_output(*unborn, *new_output) : Result<void>{}; !made) {
        return forward_error(made);
    }
    if (!newest()->try_seal(last.value - newest()->base_round().value)) {
        forget(unborn->output);
        return failure(ErrorCode::fenced, fmt::format("segment {} was sealed, or goes on", current.value));
    }
    fail_points::pass("rotate.sealed");
    const Epoch epoch = newest()->epoch();
    auto next = make_next(std::move(*unborn), epoch);
    if (!next && next.error().code == ErrorCode::disk_full) {
        next.error().code = ErrorCode::fenced;  // it is sealed: only a grant goes on behind it
    }
    return next;
}

Result<void> FileLedger::prepare_output(Unborn& unborn, WallTime begun_us) {
    auto next = fenced_if_slept(*newest(), output_.check_turn()).and_then([this] { return output_.prepare_next(); });
    if (!next) {
        return forward_error(next);
    }
    next->begun_us = begun_us;
    unborn.output = *next;
    return {};
}

Result<FileLedger::Unborn> FileLedger::prepare_segment() {
    auto fd = open_unnamed(files_, folders_.journal.get(), "a segment");
    if (!fd) {
        return forward_error(fd);
    }
    Reservation room;
    if (auto reserved = room.ensure(files_, fd->get(), 0, Segment::records_begin, "segment.reserve", "a segment");
        !reserved) {
        return forward_error(reserved);
    }
    return Unborn{std::move(*fd), std::nullopt};
}

void FileLedger::forget(const std::optional<OutputPlace>& output) {
    if (output) {
        files_.unlink(folders_.data.get(), waiting_name(*output).c_str());  // its name is ours alone
    }
}

Result<SegmentHeader> FileLedger::next_header(const Unborn& unborn, Epoch epoch) {
    SegmentHeader header;
    header.ledger = id().value;
    header.epoch = epoch.value;
    header.boot = boot_;
    auto adoption = newest_adoption(files_, folders_, id());
    if (!adoption) {
        return forward_error(adoption);
    }
    // What an operator accepted behind the last round stays: the next one begins behind it.
    const auto begin_behind = [&](std::uint64_t end, std::uint64_t base_offset, const Tip& last) {
        const bool counts = *adoption && (*adoption)->is_behind(last.segment, last.round);
        header.gap_begin = counts ? (*adoption)->tail_end : end;
        header.base_offset = counts ? (*adoption)->base_offset : base_offset;
    };
    if (newest() == nullptr) {
        header.number = 1;
        begin_behind(file_.identity().adopted_bytes, file_.identity().base_offset, {});
        return header;
    }
    Segment& last = *newest();
    header.output = last.header().output;
    auto slots = last.slots();
    if (!slots) {
        return forward_error(slots);
    }
    auto tip = last.position_at(*slots);
    if (!tip) {
        return forward_error(tip);
    }
    if (auto durable = sync_->wait_durable(last.number(), tip->round); !durable) {
        return forward_error(durable);
    }
    fail_points::pass("grant.durable");
    if (auto recovered = recover_output(last, *tip); !recovered) {
        return forward_error(recovered);
    }
    header.number = last.number().next().value;
    header.previous_slots = *slots;
    header.base_round = tip->round.value;
    header.base_sequence = tip->sequence.value;
    header.base_wall_us = tip->wall_us;
    header.base_hash = tip->hash;
    begin_behind(tip->output_end, tip->output_end,
                 {.segment = last.number(), .epoch = {}, .round = tip->round, .sequence = {}, .wall_us = 0});
    if (last.foreign()) {
        // What a power cut left behind the records becomes a line of blanks.
        auto size = output_.size();
        if (!size) {
            return forward_error(size);
        }
        header.base_offset = std::max(header.base_offset, *size);
    }
    if (unborn.output) {
        header.output = *unborn.output;
        header.output.segment = header.number;
        header.output.base = header.gap_begin;
        header.output.base_round = header.base_round;
    }
    return header;
}

Result<SegmentNumber> FileLedger::make_next(Unborn unborn, Epoch epoch) {
    const auto output = unborn.output;
    auto header = next_header(unborn, epoch);
    auto linked = header ? link_next(std::move(unborn), *header) : forward_error(header);
    if (!linked && linked.error().code == ErrorCode::fenced) {
        forget(output);
    }
    return linked;
}

Result<SegmentNumber> FileLedger::link_next(Unborn unborn, const SegmentHeader& header) {
    const SegmentNumber number{header.number};
    const std::string name = std::to_string(number.value);
    const Bytes pages = Segment::first_pages(header);
    if (auto written = write_all(files_, unborn.fd.get(), {pages}, 0, "segment.write", "a segment"); !written) {
        return forward_error(written);
    }
    if (files_.fsync(unborn.fd.get()) != 0) {
        return sync_failure("a segment", errno);
    }
    // The segment before may be of a node that sleeps between its link and its sync of the folder; a power cut must not
    // take that name and leave this one.
    if (auto synced = fsync_folder(files_, folders_.journal.get(), ".anel/journal"); !synced) {
        return forward_error(synced);
    }
    fail_points::pass("grant.before_link");
    auto linked = link_file(files_, unborn.fd.get(), folders_.journal.get(), name);
    if (!linked) {
        return forward_error(linked);
    }
    if (!*linked) {
        return failure(ErrorCode::fenced, fmt::format("another node made segment {} first", name));
    }
    fail_points::pass("grant.linked");
    if (auto synced = fsync_folder(files_, folders_.journal.get(), ".anel/journal"); !synced) {
        return forward_error(synced);
    }
    // A sleeper may have given a trimmed number a second life; whoever trims links a checkpoint first, which says so.
    auto mark = newest_mark(files_, folders_, id());
    if (!mark) {
        return forward_error(mark);
    }
    if (*mark && (*mark)->segment > number) {
        files_.unlink(folders_.journal.get(), name.c_str());
        return failure(ErrorCode::fenced, fmt::format("the journal up to segment {} was trimmed already", name));
    }
    auto segment = open_kept_segment(files_, folders_, number, id(), boot_, Access::write);
    if (!segment) {
        return forward_error(segment);
    }
    if (!*segment) {
        return failure(ErrorCode::fenced, fmt::format("segment {} was trimmed already", name));
    }
    if (auto taken = adopt_newest(std::move(*segment), true); !taken) {
        return forward_error(taken);
    }
    file_.raise_named_segment(number);
    if (auto filled = output_.write_filler(header.gap_begin, header.base_offset); !filled) {
        return forward_error(filled);
    }
    if (auto known = new_descriptor_ ? follow() : Result<void>{}; !known) {
        return forward_error(known);
    }
    return number;
}

Result<void> FileLedger::recover_output(Segment& last, const Position& tip) {
    if (last.foreign()) {
        return rewrite_output(last.number());
    }
    auto before = tip.slots > 0 ? last.header_at(tip.slots) : Result<RecordHeader>{RecordHeader{}};
    if (!before) {
        return forward_error(before);
    }
    const auto& header = last.header();
    const std::uint64_t certain = tip.slots > 0 ? before->output_offset : header.gap_begin;
    if (auto same = fenced_if_slept(last, output_.check(certain)); !same) {
        return same;
    }
    if (tip.slots == 0) {
        return output_.write_filler(header.gap_begin, header.base_offset);
    }
    auto record = last.read(tip.slots, buffer_);
    if (!record) {
        return forward_error(record);
    }
    return output_.write(record->text, record->header.output_offset);
}

Result<void> FileLedger::finish_output(const Segment& next) {
    if (!next.foreign() || next.header().output.file <= output_.place().file) {
        return {};
    }
    return rewrite_output({next.number().value - 1});
}

Result<void> FileLedger::rewrite_output(SegmentNumber last) {
    auto mark = newest_mark(files_, folders_, id());
    if (!mark) {
        return forward_error(mark);
    }
    const Round after = *mark ? (*mark)->round : Round{0};
    JournalWalk walk{place(), *mark ? (*mark)->segment : SegmentNumber{1}, newest()->number()};
    while (true) {
        auto next = walk.next();
        if (!next) {
            return forward_error(next);
        }
        Segment* segment = *next;
        if (segment == nullptr || segment->number() > last) {
            return {};
        }
        const auto& header = segment->header();
        if (auto filled = output_.write_filler(header.gap_begin, header.base_offset); !filled) {
            return filled;
        }
        auto slots = segment->slots();
        if (!slots) {
            return forward_error(slots);
        }
        const std::uint64_t done = std::max(after.value, header.base_round) - header.base_round;
        for (std::uint64_t slot = done + 1; slot <= *slots; ++slot) {
            auto record = segment->read(slot, buffer_);
            if (!record) {
                return forward_error(record);
            }
            if (auto written = output_.write(record->text, record->header.output_offset); !written) {
                return written;
            }
        }
    }
}

}  // namespace anel

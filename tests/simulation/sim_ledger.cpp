#include "tests/simulation/sim_ledger.hpp"

#include <fmt/format.h>

#include <tuple>

namespace anel::simulation {

namespace {

RoundResult result_of(const SimSegment& segment, const RoundRecord& record) {
    return {segment.number, record.round,       record.first,  record.count,
            record.wall_us, record.text.size(), record.changes};
}

}  // namespace

SimLedger::Opened* SimLedger::open_with_descriptor(SegmentNumber number) {
    const auto known = opened_.find(number);
    if (known != opened_.end()) return &known->second;
    auto segment = volume_.find(number);
    if (!segment) return nullptr;
    // In a segment of an earlier boot the file before may be torn: who is granted writes it again first.
    if (segment->boot == volume_.boot()) take_up_output(*segment);
    const Opened opened{segment, segment->slots.size(), segment->errors};
    return &opened_.emplace(number, opened).first->second;
}

SharedSegment SimLedger::open(SegmentNumber number) {
    const auto* opened = open_with_descriptor(number);
    return opened ? opened->segment : nullptr;
}

Result<History> SimLedger::read(Round applied) {
    History history;
    auto from = applied;
    const auto& segments = volume_.segments();
    const auto* checkpoint = volume_.checkpoint();
    const bool journal_reaches = segments.empty() || segments.begin()->second->base.round <= applied;
    if (checkpoint && checkpoint->snapshot.round > applied && (applied.value == 0 || !journal_reaches)) {
        history.snapshot = checkpoint->snapshot;
        from = checkpoint->snapshot.round;
    } else if (!journal_reaches) {
        throw Violation{"the simulated journal was trimmed above its checkpoint"};
    }
    for (const auto& [number, segment] : segments) {
        const auto count = volume_.count(*segment);
        for (std::uint64_t slot = 1; slot <= count; ++slot) {
            const auto* record = segment->at(slot);
            if (record->record.round > from) history.rounds.push_back(result_of(*segment, record->record));
        }
    }
    const auto tip = volume_.tip();
    history.tip = {SegmentNumber{}, Epoch{}, tip.round, tip.sequence, tip.wall_us};
    if (const auto newest = volume_.newest()) {
        static_cast<void>(open(newest->number));
        history.tip.segment = newest->number;
        history.tip.epoch = newest->epoch;
    }
    return history;
}

Epoch SimLedger::newest_epoch() const {
    const auto newest = volume_.newest();
    return newest ? newest->epoch : Epoch{};
}

Result<Succession> SimLedger::seal_for_grant(Epoch highest_named) {
    const auto newest = volume_.newest();
    if (!newest) return Succession{nullptr, Epoch{1}, nullptr, {}};
    if (newest->epoch > highest_named) return failure(ErrorCode::newer_epoch, "a newer epoch");
    if (highest_named > newest->epoch) {
        throw Violation{
            fmt::format("epoch {} was named, the newest ever granted is {}", highest_named.value, newest->epoch.value)};
    }
    static_cast<void>(open(newest->number));  // goes on in its file of the output first
    if (volume_.named_output().file < newest->output.file) {
        rewrite_output(SegmentNumber{newest->number.value - 1});
        take_up_output(*newest);
    }
    newest->sealed = true;
    return Succession{newest, newest->epoch.next(), nullptr, {}};
}

bool SimLedger::begins_file(const SimSegment& segment, const Position& before, const RoundRecord& record) const {
    const auto& place = segment.output;
    return volume_.rotation().begins_file({.bytes = before.offset - place.base,
                                           .rounds = before.round.value - place.base_round.value,
                                           .begun_us = place.begun_us != 0 ? place.begun_us : before.wall_us},
                                          record);
}

void SimLedger::turn_output(const SimSegment& segment) {
    // The folder of segments first: a power cut must not take the segment and leave what it says.
    volume_.sync_folder();
    volume_.turn_output(segment.output);
}

void SimLedger::enter_output(const SimSegment& segment) {
    turn_output(segment);
    volume_.sync_output_name();
}

void SimLedger::take_up_output(const SimSegment& segment) {
    if (volume_.named_output().file >= segment.output.file) return;
    volume_.world().strike(Fault::output_named_by_another);
    enter_output(segment);
}

Result<Succession> SimLedger::seal_for_rotation(SegmentNumber current, Round last, std::optional<WallTime> new_output) {
    const auto segment = open(current);
    if (!segment || segment->sealed) return failure(ErrorCode::fenced, "the segment is sealed");
    if (segment->slot_of(last) != segment->decided) {
        throw Violation{fmt::format("S1: node {} rotates segment {} behind round {}, but slot {} is decided",
                                    self_.value, current.value, last.value, segment->decided)};
    }
    std::optional<SimPlace> output;
    if (new_output) {
        output = SimPlace{.file = segment->output.file + 1, .begun_us = *new_output, .tag = volume_.prepare_output()};
    }
    segment->sealed = true;
    return Succession{segment, segment->epoch, nullptr, output};
}

SyncJob SimLedger::begin_sync_of_sealed(const Succession& succession) {
    // A sleeper's segment may be trimmed meanwhile; it has it mapped, and the sync of it harms nobody.
    auto& opened =
        opened_
            .try_emplace(succession.sealed->number,
                         Opened{succession.sealed, succession.sealed->slots.size(), succession.sealed->errors})
            .first->second;
    opened.segment = succession.sealed;
    return *begin_sync(succession.sealed->number, Round{});
}

void SimLedger::write_filler(const SimSegment& segment) {
    if (segment.gap_begin == segment.base.offset) return;
    auto blanks = std::string(segment.base.offset - segment.gap_begin, ' ');
    blanks.back() = '\n';
    volume_.output.write(segment.gap_begin, blanks);
}

void SimLedger::rewrite_output(SegmentNumber last) {
    const auto* checkpoint = volume_.checkpoint();
    const auto after = checkpoint ? checkpoint->snapshot.round : Round{};
    for (const auto& [number, segment] : volume_.segments()) {
        const auto count = volume_.count(*segment);
        if (number > last) break;
        if (segment->base.round.value + count < after.value) continue;
        write_filler(*segment);
        for (std::uint64_t slot = 1; slot <= count; ++slot) {
            const auto& record = *segment->at(slot);
            if (record.record.round > after) volume_.output.write(record.offset, record.record.text);
        }
    }
}

void SimLedger::prepare(Succession& succession) {
    succession.next = std::make_shared<SimSegment>();
    auto& next = *succession.next;
    next.number = succession.sealed ? succession.sealed->number.next() : SegmentNumber{1};
    next.epoch = succession.epoch;
    next.boot = volume_.boot();
    if (!succession.sealed) return;
    const auto& sealed = *succession.sealed;
    next.count_before = volume_.count(sealed);
    next.base = sealed.end(next.count_before);
    next.gap_begin = next.base.offset;
    next.output = sealed.output;
    if (succession.output) {
        next.output = *succession.output;
        next.output.base = next.base.offset;
        next.output.base_round = next.base.round;
    }
    if (sealed.boot != volume_.boot()) {
        rewrite_output(sealed.number);
        // The output may be longer than the records say; what lies between becomes blanks.
        next.base.offset = std::max(next.base.offset, volume_.output.size());
    } else if (next.count_before == 0) {
        write_filler(sealed);
    } else {
        const auto& last = *sealed.at(next.count_before);
        volume_.output.write(last.offset, last.record.text);
    }
}

Result<void> SimLedger::link(const Succession& succession) {
    volume_.sync_folder();
    if (!volume_.link(succession.next)) return failure(ErrorCode::fenced, "another one was first");
    return {};
}

Result<void> SimLedger::confirm(const Succession& succession) {
    const auto number = succession.next->number;
    if (volume_.find(number) != succession.next) {
        return failure(ErrorCode::fenced, "the journal up to this segment was already trimmed");
    }
    volume_.sync_folder();
    opened_[number] = {succession.next, 0, succession.next->errors};
    write_filler(*succession.next);
    return {};
}

Result<Grant> SimLedger::grant(Epoch highest_named) {
    auto succession = seal_for_grant(highest_named);
    if (!succession) return tl::unexpected{succession.error()};
    if (auto made = make_next(*succession); !made) return tl::unexpected{made.error()};
    return Grant{succession->epoch, succession->next->number};
}

Result<SegmentNumber> SimLedger::rotate(SegmentNumber current, Round last, std::optional<WallTime> new_output) {
    auto succession = seal_for_rotation(current, last, new_output);
    if (!succession) return tl::unexpected{succession.error()};
    if (auto made = make_next(*succession); !made) return tl::unexpected{made.error()};
    return succession->next->number;
}

Result<void> SimLedger::make_next(Succession& succession) {
    if (succession.sealed) {
        const auto job = begin_sync_of_sealed(succession);
        if (!finish_sync(job)) return failure(ErrorCode::sync_failed, "the disk refused");
        raise_durable(job);
    }
    prepare(succession);
    if (auto linked = link(succession); !linked) return linked;
    if (auto confirmed = confirm(succession); !confirmed) return confirmed;
    enter_output(*succession.next);
    return {};
}

Result<void> SimLedger::write_record(SegmentNumber number, RoundRecord&& record) {
    const auto segment = open(number);
    if (!segment) return failure(ErrorCode::fenced, "the segment is gone");
    if (volume_.disk_full) return failure(ErrorCode::disk_full, "no space");
    if (record.round <= segment->base.round) {
        throw Violation{fmt::format("S1: node {} writes round {} into segment {}, which begins behind {}", self_.value,
                                    record.round.value, number.value, segment->base.round.value)};
    }
    const auto slot = segment->slot_of(record.round);
    if (slot != segment->decided + 1) {
        throw Violation{fmt::format("S1: node {} writes slot {} of segment {}, where {} are decided", self_.value, slot,
                                    number.value, segment->decided)};
    }
    const auto before = segment->end(slot - 1);
    if (begins_file(*segment, before, record)) return failure(ErrorCode::output_full, "a new file first");
    if (volume_.named_output().file < segment->output.file) {
        throw Violation{fmt::format("S5: a round of file {} is written while output.txt is file {}",
                                    segment->output.file, volume_.named_output().file)};
    }
    const auto hash = hash_of(record, before.hash);
    SimRecord made{std::move(record), before.offset, before.hash, hash, self_};
    if (volume_.watch) volume_.watch->record_written(self_, *segment, made);
    segment->write(slot, std::move(made));
    return {};
}

Result<void> SimLedger::decide(SegmentNumber number, Round round) {
    const auto segment = open(number);
    if (!segment || segment->sealed) return failure(ErrorCode::fenced, "the segment is sealed");
    const auto slot = segment->slot_of(round);
    if (segment->decided + 1 != slot) {
        throw Violation{fmt::format("S1: node {} decides slot {} of segment {}, where {} are decided", self_.value,
                                    slot, number.value, segment->decided)};
    }
    segment->decided = slot;
    last_decided_ = *segment->at(slot);
    if (volume_.watch) volume_.watch->decided(self_, *segment, *last_decided_);
    return {};
}

const SimRecord& SimLedger::last_decided(Round round) const {
    if (last_decided_ && last_decided_->record.round == round) return *last_decided_;
    throw Violation{
        fmt::format("node {} writes output of round {}, which it did not decide last", self_.value, round.value)};
}

Result<void> SimLedger::write_output(Round round) {
    const auto& last = last_decided(round);
    volume_.output.write(last.offset, last.record.text);
    return {};
}

void SimLedger::write_output_half(Round round) {
    const auto& last = last_decided(round);
    const std::string_view text = last.record.text;
    volume_.output.write(last.offset, text.substr(0, text.size() / 2));
}

std::optional<SyncJob> SimLedger::begin_sync(SegmentNumber number, Round round) {
    auto* opened = open_with_descriptor(number);
    if (!opened) return std::nullopt;
    auto& segment = *opened->segment;
    const auto decided = volume_.count(segment);
    for (auto slot = segment.durable + 1; slot <= std::min(decided, opened->suspect_slots); ++slot) {
        segment.dirty.insert(slot);
    }
    if (decided >= opened->suspect_slots) opened->suspect_slots = 0;
    SyncJob job{opened->segment, {}, decided, segment.durable, opened->errors, round};
    for (const auto slot : segment.dirty) job.covers.emplace_back(slot, segment.at(slot)->hash);
    return job;
}

bool SimLedger::finish_sync(const SyncJob& job) {
    auto& segment = *job.segment;
    if (job.errors != segment.errors) return false;
    for (const auto& [slot, hash] : job.covers) {
        auto& place = segment.slots[slot - 1];
        if (place.cached->hash != hash) continue;
        place.stored = place.cached;
        segment.dirty.erase(slot);
    }
    segment.grow_stored_run();
    segment.durable_on_disk = std::max(segment.durable_on_disk, job.durable_word);
    return true;
}

void SimLedger::fail_sync(const SyncJob& job) {
    auto& segment = *job.segment;
    ++segment.errors;
    for (const auto& [slot, hash] : job.covers) {
        if (segment.slots[slot - 1].cached->hash == hash) segment.dirty.erase(slot);
    }
}

void SimLedger::raise_durable(const SyncJob& job) {
    job.segment->durable = std::max(job.segment->durable, job.decided);
}

void SimLedger::sync(SegmentNumber segment, Round round) {
    const auto job = begin_sync(segment, round);
    if (job && finish_sync(*job)) raise_durable(*job);
}

std::optional<Position> SimLedger::position_of(const Snapshot& snapshot) {
    const auto* checkpoint = volume_.checkpoint();
    if (checkpoint && checkpoint->snapshot.round >= snapshot.round) return std::nullopt;
    for (const auto& [number, segment] : volume_.segments()) {
        if (segment->base.round > snapshot.round) break;
        const auto slot = segment->slot_of(snapshot.round);
        if (slot <= volume_.count(*segment)) return segment->end(slot);
    }
    throw Violation{
        fmt::format("node {} has applied round {}, which is not in the journal", self_.value, snapshot.round.value)};
}

OutputSync SimLedger::begin_output_sync(Round round) {
    const auto* checkpoint = volume_.checkpoint();
    const auto after = checkpoint ? checkpoint->snapshot.round : Round{};
    for (const auto& [number, segment] : volume_.segments()) {
        const auto base = segment->base.round;
        if (base >= round) break;
        if (base >= after && base <= suspect_round_) write_filler(*segment);
        const auto last = std::min(volume_.count(*segment), segment->slot_of(round));
        for (auto slot = std::max(base, after).value - base.value + 1; slot <= last; ++slot) {
            const auto& record = *segment->at(slot);
            // The last round is written again in any case: its holder may sleep between deciding and writing it.
            if (record.record.round > suspect_round_ && record.record.round != round) continue;
            volume_.output.write(record.offset, record.record.text);
        }
    }
    return volume_.output.begin_sync(output_errors_);
}

void SimLedger::link_checkpoint(const Snapshot& snapshot, const Position& position) {
    // It names a segment whose maker may sleep before it syncs the folder.
    volume_.sync_folder();
    volume_.link_checkpoint({snapshot, position, false});
}

void SimLedger::checkpoint(Snapshot snapshot) {
    const auto position = position_of(snapshot);
    if (!position || snapshot.round > volume_.durable()) return;
    if (!volume_.output.finish_sync(begin_output_sync(snapshot.round))) return;
    link_checkpoint(snapshot, *position);
    volume_.trim_below(snapshot.round);
}

Result<Words> SimLedger::words(SegmentNumber number) {
    const auto segment = open(number);
    if (!segment) {
        const auto* checkpoint = volume_.checkpoint();
        const auto below = checkpoint ? checkpoint->snapshot.round : Round{};
        return Words{true, below, below};
    }
    const auto base = segment->base.round.value;
    return Words{segment->sealed, Round{base + segment->decided}, Round{base + segment->durable}};
}

}  // namespace anel::simulation

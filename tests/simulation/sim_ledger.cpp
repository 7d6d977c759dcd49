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

SharedSegment SimLedger::open(SegmentNumber number) {
    const auto known = opened_.find(number);
    if (known != opened_.end()) return known->second;
    auto segment = volume_.find(number);
    if (segment) opened_.emplace(number, segment);
    return segment;
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
        history.tip.segment = newest->number;
        history.tip.epoch = newest->epoch;
    }
    return history;
}

Epoch SimLedger::newest_epoch() const {
    const auto newest = volume_.newest();
    return newest ? newest->epoch : Epoch{};
}

Succession SimLedger::succession_of(const SharedSegment& sealed, Epoch epoch) const {
    auto next = std::make_shared<SimSegment>();
    next->number = sealed ? sealed->number.next() : SegmentNumber{1};
    next->epoch = epoch;
    next->boot = volume_.boot();
    if (sealed) {
        next->count_before = volume_.count(*sealed);
        next->base = sealed->end(next->count_before);
        // After a reboot output.txt may be longer than the records say; what lies between becomes blanks.
        if (sealed->boot != volume_.boot()) next->base.offset = std::max(next->base.offset, volume_.output.size());
    }
    return {sealed, std::move(next)};
}

Result<Succession> SimLedger::seal_for_grant(Epoch highest_named) {
    const auto newest = volume_.newest();
    if (!newest) return succession_of(nullptr, Epoch{1});
    if (newest->epoch > highest_named) return failure(ErrorCode::newer_epoch, "a newer epoch");
    if (highest_named > newest->epoch) {
        throw Violation{
            fmt::format("epoch {} was named, the newest ever granted is {}", highest_named.value, newest->epoch.value)};
    }
    newest->sealed = true;
    return succession_of(newest, newest->epoch.next());
}

Result<Succession> SimLedger::seal_for_rotation(SegmentNumber current, Round last) {
    const auto segment = open(current);
    if (!segment || segment->sealed) return failure(ErrorCode::fenced, "the segment is sealed");
    if (segment->slot_of(last) != segment->decided) {
        throw Violation{fmt::format("S1: node {} rotates segment {} behind round {}, but slot {} is decided",
                                    self_.value, current.value, last.value, segment->decided)};
    }
    segment->sealed = true;
    return succession_of(segment, segment->epoch);
}

void SimLedger::sync_sealed(const Succession& succession) {
    if (!succession.sealed) return;
    auto& segment = *succession.sealed;
    for (std::uint64_t slot = 1; slot <= succession.next->count_before; ++slot) {
        segment.slots[slot - 1]->on_disk = true;
    }
    segment.durable = std::max(segment.durable, succession.next->count_before);
    segment.durable_on_disk = std::max(segment.durable_on_disk, segment.durable);
}

Result<void> SimLedger::link(const Succession& succession) {
    if (!volume_.link(succession.next)) return failure(ErrorCode::fenced, "another one was first");
    return {};
}

Result<void> SimLedger::confirm(const Succession& succession) {
    const auto number = succession.next->number;
    if (volume_.find(number) != succession.next) {
        return failure(ErrorCode::fenced, "the journal up to this segment was already trimmed");
    }
    volume_.sync_folder();
    opened_[number] = succession.next;
    return {};
}

bool SimLedger::decided_in_this_boot() const {
    for (const auto& [number, segment] : volume_.segments()) {
        if (segment->boot == volume_.boot() && volume_.count(*segment) > 0) return true;
    }
    return false;
}

void SimLedger::recover_output() {
    const auto tip = volume_.tip();
    const bool last_only = decided_in_this_boot();
    const auto* checkpoint = volume_.checkpoint();
    Position end = checkpoint ? checkpoint->position : Position{};
    for (const auto& [number, segment] : volume_.segments()) {
        if (segment->base.round < end.round && segment->base.round.value + volume_.count(*segment) < end.round.value) {
            continue;
        }
        if (!last_only && segment->base.offset > end.offset && segment->base.round == end.round) {
            auto blanks = std::string(segment->base.offset - end.offset, ' ');
            blanks.back() = '\n';
            volume_.output.write(end.offset, blanks);
        }
        if (segment->base.round >= end.round) end = segment->base;
        for (std::uint64_t slot = 1; slot <= volume_.count(*segment); ++slot) {
            const auto& record = *segment->at(slot);
            if (record.record.round <= end.round) continue;
            end = record.end();
            if (!last_only || end.round == tip.round) volume_.output.write(record.offset, record.record.text);
        }
    }
}

Result<Grant> SimLedger::grant(Epoch highest_named) {
    const auto succession = seal_for_grant(highest_named);
    if (!succession) return tl::unexpected{succession.error()};
    sync_sealed(*succession);
    if (const auto linked = link(*succession); !linked) return tl::unexpected{linked.error()};
    if (const auto confirmed = confirm(*succession); !confirmed) return tl::unexpected{confirmed.error()};
    recover_output();
    return Grant{succession->next->epoch, succession->next->number};
}

Result<SegmentNumber> SimLedger::rotate(SegmentNumber current, Round last) {
    const auto succession = seal_for_rotation(current, last);
    if (!succession) return tl::unexpected{succession.error()};
    sync_sealed(*succession);
    if (const auto linked = link(*succession); !linked) return tl::unexpected{linked.error()};
    if (const auto confirmed = confirm(*succession); !confirmed) return tl::unexpected{confirmed.error()};
    return succession->next->number;
}

Result<void> SimLedger::write_record(SegmentNumber number, const RoundRecord& record) {
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
    SimRecord made{record, before.offset, before.hash, hash_of(record, before.hash), self_};
    if (volume_.watch) volume_.watch->record_written(self_, *segment, made);
    if (segment->slots.size() < slot) segment->slots.resize(slot);
    segment->slots[slot - 1] = std::move(made);
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

Result<void> SimLedger::write_output(Round round) {
    if (!last_decided_ || last_decided_->record.round != round) {
        throw Violation{
            fmt::format("node {} writes output of round {}, which it did not decide last", self_.value, round.value)};
    }
    volume_.output.write(last_decided_->offset, last_decided_->record.text);
    return {};
}

std::optional<SyncJob> SimLedger::begin_sync(SegmentNumber number, Round round) {
    const auto segment = open(number);
    if (!segment) return std::nullopt;
    return SyncJob{segment, segment->slots.size(), segment->decided, round};
}

void SimLedger::finish_sync(const SyncJob& job) {
    auto& segment = *job.segment;
    for (std::uint64_t slot = 1; slot <= job.written; ++slot) {
        if (segment.slots[slot - 1]) segment.slots[slot - 1]->on_disk = true;
    }
}

void SimLedger::raise_durable(const SyncJob& job) {
    job.segment->durable = std::max(job.segment->durable, job.decided);
}

void SimLedger::sync(SegmentNumber segment, Round round) {
    const auto job = begin_sync(segment, round);
    if (!job) return;
    finish_sync(*job);
    raise_durable(*job);
}

bool SimLedger::finish_checkpoint(const Snapshot& snapshot, std::uint64_t output_size) {
    volume_.output.synced(output_size);
    if (snapshot.round > volume_.durable()) return false;
    for (const auto& [number, segment] : volume_.segments()) {
        if (segment->base.round > snapshot.round) continue;
        const auto slot = segment->slot_of(snapshot.round);
        if (slot > volume_.count(*segment)) continue;
        const auto end = segment->end(slot);
        // A holder may be frozen between deciding the round and writing it.
        if (output_size < end.offset) return false;
        volume_.link_checkpoint({snapshot, end});
        return true;
    }
    return true;
}

void SimLedger::checkpoint(Snapshot snapshot) { std::ignore = finish_checkpoint(snapshot, volume_.output.size()); }

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

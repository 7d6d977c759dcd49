#include "tests/simulation/volume.hpp"

#include <fmt/format.h>

namespace anel::simulation {

std::uint64_t hash_of(const RoundRecord& record, std::uint64_t hash_before) {
    auto hash = hash_before ^ (record.round.value * 0x9e3779b97f4a7c15ULL);
    for (const char byte : record.text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    return (hash ^ record.first.value) * 0x100000001b3ULL + record.count;
}

Position SimRecord::end() const {
    return {record.round, Sequence{record.first.value + record.count - 1}, offset + record.text.size(), hash,
            record.wall_us};
}

const SimRecord* SimSegment::at(std::uint64_t slot) const {
    if (slot == 0 || slot > slots.size() || !slots[slot - 1].cached) return nullptr;
    return &*slots[slot - 1].cached;
}

std::uint64_t SimSegment::valid() const {
    auto hash = base.hash;
    std::uint64_t count = 0;
    while (const auto* record = at(count + 1)) {
        if (record->hash_before != hash) break;
        hash = record->hash;
        ++count;
    }
    return count;
}

void SimSegment::write(std::uint64_t slot, SimRecord record) {
    if (slots.size() < slot) slots.resize(slot);
    auto& place = slots[slot - 1];
    place.cached = std::move(record);
    dirty.insert(slot);
    if (!place.on_disk()) stored_run = std::min(stored_run, slot - 1);
}

void SimSegment::grow_stored_run() {
    while (stored_run < slots.size() && slots[stored_run].on_disk()) ++stored_run;
}

SharedSegment SimVolume::newest() const { return segments_.empty() ? nullptr : segments_.rbegin()->second; }

SharedSegment SimVolume::find(SegmentNumber number) const {
    const auto at = segments_.find(number);
    return at == segments_.end() ? nullptr : at->second;
}

const SimCheckpoint* SimVolume::checkpoint() const {
    return checkpoints_.empty() ? nullptr : &checkpoints_.rbegin()->second;
}

std::uint64_t SimVolume::count(const SimSegment& segment) const {
    if (const auto after = find(segment.number.next())) return after->count_before;
    if (segment.boot == boot_) return segment.decided;
    const auto valid = segment.valid();
    if (valid < segment.durable) {
        throw Violation{fmt::format("S2: segment {} has {} valid records, its durable word says {}",
                                    segment.number.value, valid, segment.durable)};
    }
    return valid;
}

Position SimVolume::tip() const {
    const auto last = newest();
    return last ? last->end(count(*last)) : Position{};
}

Round SimVolume::durable() const {
    Round durable;
    for (const auto& [number, segment] : segments_) {
        if (number > entries_synced_) break;
        const auto decided = count(*segment);
        durable.value = segment->base.round.value + std::min(segment->stored_run, decided);
        if (segment->stored_run < decided) break;
    }
    return durable;
}

bool SimVolume::link(SharedSegment segment) {
    const auto number = segment->number;
    // Its name is free again because it was trimmed. Readers start at the checkpoint and never look so low.
    if (!segments_.empty() && number < segments_.begin()->first) {
        world_.strike(Fault::number_relinked);
        return true;
    }
    return segments_.emplace(number, std::move(segment)).second;
}

void SimVolume::sync_folder() {
    if (!segments_.empty()) entries_synced_ = segments_.rbegin()->first;
}

void SimVolume::link_checkpoint(SimCheckpoint checkpoint) {
    if (watch) watch->checkpointed(checkpoint.snapshot);
    const auto round = checkpoint.snapshot.round;
    if (!checkpoints_.empty() && checkpoints_.rbegin()->first > round) world_.strike(Fault::checkpoint_late);
    checkpoints_.emplace(round, std::move(checkpoint));
}

void SimVolume::trim_below(Round round) {
    for (auto& [of, checkpoint] : checkpoints_) checkpoint.entry_synced = true;
    checkpoints_.erase(checkpoints_.begin(), checkpoints_.lower_bound(round));
    while (segments_.size() > 1) {
        const auto& first = *segments_.begin()->second;
        const auto& second = *std::next(segments_.begin())->second;
        if (!first.sealed || second.base.round > round || second.number > entries_synced_) break;
        world_.strike(Fault::trimmed);
        segments_.erase(segments_.begin());
    }
}

std::uint64_t SimVolume::prepare_output() {
    waiting_.insert(++tags_);
    return tags_;
}

void SimVolume::turn_output(const SimPlace& place) {
    if (place.file == 1) return;
    if (!waiting_.erase(place.tag)) {
        if (named_.file < place.file) throw Violation{"S5: a new output.txt was lost before it had its name"};
        return;
    }
    if (named_.file + 1 != place.file) {
        throw Violation{fmt::format("S5: output.txt was file {} and becomes file {}", named_.file, place.file)};
    }
    if (!output.whole(place.base))
        throw Violation{"S5: output.txt becomes a new file, and the one before is not whole"};
    before_turn_ = named_;
    named_ = place;
    world_.strike(Fault::output_goes_on);
}

/// In any order: no name may need one that was linked before it and was not synced.
void SimVolume::lose_unsynced_entries() {
    std::erase_if(segments_, [&](const auto& entry) {
        if (entry.first <= entries_synced_ || world_.random.chance(0.5)) return false;
        world_.strike(Fault::name_lost);
        return true;
    });
    for (auto at = segments_.begin(); at != segments_.end() && std::next(at) != segments_.end(); ++at) {
        if (std::next(at)->first == at->first.next()) continue;
        throw Violation{
            fmt::format("S2: a power cut left segment {} without the one before it", std::next(at)->first.value)};
    }
    sync_folder();
    std::erase_if(checkpoints_, [&](const auto& entry) {
        if (entry.second.entry_synced || world_.random.chance(0.5)) return false;
        world_.strike(Fault::checkpoint_name_lost);
        return true;
    });
    for (auto& [round, checkpoint] : checkpoints_) checkpoint.entry_synced = true;
}

/// Each record that no finished sync covers is there, or as it was before, or torn, which is as good as not there.
void SimVolume::lose_unsynced_records(SimSegment& segment) {
    const double kept = world_.random.chance(0.3) ? 0.0 : world_.random.chance(0.5) ? 1.0 : 0.5;
    for (std::uint64_t slot = 1; slot <= segment.slots.size(); ++slot) {
        auto& place = segment.slots[slot - 1];
        if (place.on_disk() || (!place.cached && !place.stored)) continue;
        // A sync that failed left it clean: the disk has what it had.
        const bool dirty = segment.dirty.contains(slot);
        if (!dirty || world_.random.chance(1 - kept)) {
            world_.strike(Fault::record_lost);
        } else if (world_.random.chance(0.2)) {
            place.stored.reset();
            world_.strike(Fault::record_torn);
        } else {
            place.stored = place.cached;
        }
        place.cached = place.stored;
    }
    segment.dirty.clear();
    segment.errors = 0;
    segment.stored_run = 0;
    segment.grow_stored_run();
    // The disk has any value that the mapped words ever had; the count is not believed at all.
    const auto durable = world_.random.between(segment.durable_on_disk, segment.durable);
    if (durable < segment.durable) world_.strike(Fault::words_lost);
    segment.durable = durable;
    segment.durable_on_disk = durable;
    segment.decided = world_.random.below(segment.slots.size() + 1);
    segment.sealed = world_.random.chance(0.5);
}

void SimVolume::power_cut() {
    const auto safe = durable();
    std::uint64_t safe_offset = 0;
    for (const auto& [number, segment] : segments_) {
        if (segment->base.round > safe || number > entries_synced_) break;
        safe_offset = segment->end(std::min(segment->slot_of(safe), count(*segment))).offset;
    }
    // Counted before the records go: the successor's header is what recovery will believe.
    lose_unsynced_entries();
    for (auto& [number, shared] : segments_) lose_unsynced_records(*shared);
    ++boot_;
    if (world_.random.chance(0.5)) call_words = {};
    if (before_turn_ && world_.random.chance(0.5)) {
        world_.strike(Fault::output_name_lost);
        waiting_.insert(named_.tag);
        named_ = *before_turn_;
    }
    before_turn_.reset();
    if (output.power_cut(world_.random, safe_offset)) world_.strike(Fault::output_torn);
    if (watch) watch->power_was_cut();
}

}  // namespace anel::simulation

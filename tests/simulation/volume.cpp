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
    if (slot == 0 || slot > slots.size() || !slots[slot - 1]) return nullptr;
    return &*slots[slot - 1];
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

std::uint64_t SimSegment::on_disk() const {
    std::uint64_t count = 0;
    while (const auto* record = at(count + 1)) {
        if (!record->on_disk) break;
        ++count;
    }
    return count;
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
    for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
        const auto& segment = *at->second;
        if (segment.number > entries_synced_) continue;
        const auto on_disk = segment.on_disk();
        const auto known = std::min(on_disk, count(segment));
        return {segment.base.round.value + known};
    }
    return {};
}

bool SimVolume::link(SharedSegment segment) {
    const auto number = segment->number;
    // Its name is free again because it was trimmed. Readers start at the checkpoint and never look so low.
    if (!segments_.empty() && number < segments_.begin()->first) return true;
    return segments_.emplace(number, std::move(segment)).second;
}

void SimVolume::sync_folder() {
    if (!segments_.empty()) entries_synced_ = segments_.rbegin()->first;
}

void SimVolume::link_checkpoint(SimCheckpoint checkpoint) {
    if (watch) watch->checkpointed(checkpoint.snapshot);
    const auto round = checkpoint.snapshot.round;
    checkpoints_.emplace(round, std::move(checkpoint));
    // Whoever made it deletes lower checkpoints, and sealed segments that lie wholly below.
    checkpoints_.erase(checkpoints_.begin(), checkpoints_.lower_bound(round));
    while (segments_.size() > 1) {
        const auto& first = *segments_.begin()->second;
        const auto& second = *std::next(segments_.begin())->second;
        if (!first.sealed || second.base.round > round || second.number > entries_synced_) break;
        segments_.erase(segments_.begin());
    }
}

void SimVolume::lose_unsynced_entries() {
    while (!segments_.empty() && segments_.rbegin()->first > entries_synced_ && world_.random.chance(0.5)) {
        segments_.erase(std::prev(segments_.end()));
    }
    sync_folder();
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
    const double kept = world_.random.chance(0.3) ? 0.0 : world_.random.chance(0.5) ? 1.0 : 0.5;
    for (auto& [number, shared] : segments_) {
        auto& segment = *shared;
        for (auto& slot : segment.slots) {
            if (!slot || slot->on_disk) continue;
            if (world_.random.chance(kept)) slot->on_disk = true;
            else slot.reset();
        }
        segment.durable = world_.random.between(segment.durable_on_disk, segment.durable);
        segment.durable_on_disk = segment.durable;
        segment.decided = world_.random.below(segment.slots.size() + 1);
        segment.sealed = world_.random.chance(0.5);
    }
    ++boot_;
    call_words = {};
    output.power_cut(world_.random, safe_offset);
    if (watch) watch->power_was_cut();
}

}  // namespace anel::simulation

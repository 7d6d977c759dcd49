// The shared volume: segments, checkpoints, output and call words, as all nodes of one machine see them.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/blob.hpp"
#include "ring/core/ledger.hpp"
#include "tests/simulation/output.hpp"

namespace anel::simulation {

/// The end of a run of rounds: where the next one goes on.
struct Position {
    Round round;
    Sequence sequence;
    std::uint64_t offset = 0;
    std::uint64_t hash = 0;
    WallTime wall_us = 0;
};

struct SimRecord {
    RoundRecord record;
    std::uint64_t offset = 0;
    std::uint64_t hash_before = 0;
    std::uint64_t hash = 0;
    Process writer;
    [[nodiscard]] Position end() const;
};
[[nodiscard]] std::uint64_t hash_of(const RoundRecord& record, std::uint64_t hash_before);

/// A file of the output, as segments name it. Offsets are of all files together.
struct SimPlace {
    std::uint64_t file = 1;
    std::uint64_t base = 0;
    Round base_round{};
    WallTime begun_us = 0;
    std::uint64_t tag = 0;  ///< of the name under which it waits, which is never used again
    friend bool operator==(const SimPlace&, const SimPlace&) = default;
};

/// Place of one record: as all processes see it, and as it stands on the disk.
struct SimSlot {
    std::optional<SimRecord> cached;
    std::optional<SimRecord> stored;
    [[nodiscard]] bool on_disk() const {
        return cached && stored && cached->hash == stored->hash && cached->hash_before == stored->hash_before;
    }
};

/// A numbered piece of the journal. Slots count from 1.
struct SimSegment {
    SegmentNumber number;
    Epoch epoch;
    std::uint64_t boot = 0;
    Position base;
    std::uint64_t gap_begin = 0;     ///< blanks stand from here to the base offset
    std::uint64_t count_before = 0;  ///< final slots of the segment before
    SimPlace output;                 ///< where its rounds go
    // The words.
    bool sealed = false;
    std::uint64_t decided = 0;
    std::uint64_t durable = 0;
    std::uint64_t durable_on_disk = 0;
    std::vector<SimSlot> slots;
    std::set<std::uint64_t> dirty;  ///< slots that were written since a sync covered them
    std::uint64_t stored_run = 0;   ///< the unbroken run of slots that are on the disk
    std::uint64_t errors = 0;       ///< failed syncs: a descriptor hears of those that came after it was opened

    [[nodiscard]] std::uint64_t slot_of(Round round) const { return round.value - base.round.value; }
    [[nodiscard]] const SimRecord* at(std::uint64_t slot) const;
    [[nodiscard]] Position end(std::uint64_t count) const { return count == 0 ? base : at(count)->end(); }
    /// Valid records in hash order: what is decided when the word is not to be trusted.
    [[nodiscard]] std::uint64_t valid() const;
    void write(std::uint64_t slot, SimRecord record);
    void grow_stored_run();
};
using SharedSegment = std::shared_ptr<SimSegment>;

struct SimCheckpoint {
    Snapshot snapshot;
    Position position;
    bool entry_synced = false;  ///< its name survives a power cut
};

/// Hears what happens on the volume; the checkers are one.
class VolumeWatch {
public:
    VolumeWatch() = default;
    VolumeWatch(const VolumeWatch&) = delete;
    VolumeWatch& operator=(const VolumeWatch&) = delete;
    virtual ~VolumeWatch() = default;
    virtual void record_written(Process process, const SimSegment& segment, const SimRecord& record) = 0;
    virtual void decided(Process process, const SimSegment& segment, const SimRecord& record) = 0;
    virtual void checkpointed(const Snapshot& snapshot) = 0;
    /// Records of `volume` are what the next recovery will find.
    virtual void power_was_cut() = 0;
};

class SimVolume {
public:
    SimVolume(World& world, LedgerId id) : world_{world}, id_{id} {}

    [[nodiscard]] LedgerId id() const { return id_; }
    [[nodiscard]] World& world() const { return world_; }
    [[nodiscard]] std::uint64_t boot() const { return boot_; }
    [[nodiscard]] SharedSegment newest() const;
    [[nodiscard]] SharedSegment find(SegmentNumber number) const;
    [[nodiscard]] const std::map<SegmentNumber, SharedSegment>& segments() const { return segments_; }
    [[nodiscard]] const SimCheckpoint* checkpoint() const;
    /// Slots that are decided in `segment`, by the rules of recovery.
    [[nodiscard]] std::uint64_t count(const SimSegment& segment) const;
    [[nodiscard]] Position tip() const;
    /// The last round that survives a power cut now, by the volume's own knowledge (not by any word).
    [[nodiscard]] Round durable() const;

    /// Gives the segment its name; fails if somebody was first.
    [[nodiscard]] bool link(SharedSegment segment);
    void sync_folder();
    void link_checkpoint(SimCheckpoint checkpoint);
    /// Syncs the folder of checkpoints, then deletes lower ones and segments that lie wholly below `round`.
    void trim_below(Round round);
    void power_cut();

    // --- the files of the output -----------------------------------------------------------------
    [[nodiscard]] const OutputRotation& rotation() const { return world_.plan.rotation; }
    /// A new file, durable, under a name that it waits under. @return its tag.
    [[nodiscard]] std::uint64_t prepare_output();
    /// The file that output.txt is now.
    [[nodiscard]] const SimPlace& named_output() const { return named_; }
    /// The rename: it works once. Whoever comes later finds nothing to rename.
    void turn_output(const SimPlace& place);
    void sync_output_name() { before_turn_.reset(); }

    SimOutput output;
    std::array<CallId, limits::nodes_max> call_words{};
    std::map<NodeId, Bytes> bids;  ///< what each node placed last
    bool disk_full = false;
    VolumeWatch* watch = nullptr;

private:
    void lose_unsynced_entries();
    void lose_unsynced_records(SimSegment& segment);

    World& world_;
    LedgerId id_;
    std::uint64_t boot_ = 1;
    SimPlace named_;
    std::optional<SimPlace> before_turn_;  ///< what a power cut may take output.txt back to
    std::set<std::uint64_t> waiting_;      ///< tags
    std::uint64_t tags_ = 0;
    std::map<SegmentNumber, SharedSegment> segments_;
    SegmentNumber entries_synced_;  ///< folder entries up to here survive
    std::map<Round, SimCheckpoint> checkpoints_;
};

}  // namespace anel::simulation

// The ledger as one simulated node sees it: the Ledger seam over a SimVolume, also in steps that can be interleaved.
#pragma once

#include <map>
#include <optional>

#include "tests/simulation/volume.hpp"

namespace anel::simulation {

/// A grant or a rotation under way. Between any two of its steps others act, and the node may be frozen or die.
struct Succession {
    SharedSegment sealed;  ///< none at the very first grant
    Epoch epoch;
    SharedSegment next;              ///< once the one before is durable and written
    std::optional<SimPlace> output;  ///< the new file that it begins
};

/// A sync under way: it covers what was written before it began.
struct SyncJob {
    SharedSegment segment;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> covers;  ///< slots, and the hashes of their records
    std::uint64_t decided = 0;
    std::uint64_t durable_word = 0;  ///< as it stood when the sync began; it is on the same pages
    std::uint64_t errors = 0;        ///< that its descriptor has heard of
    Round round;
};

class SimLedger final : public Ledger {
public:
    SimLedger(SimVolume& volume, Process self)
        : volume_{volume}, self_{self}, output_errors_{volume.output.errors()}, suspect_round_{volume.tip().round} {}

    // --- the seam, each call at once -------------------------------------------------------------
    [[nodiscard]] LedgerId id() const override { return volume_.id(); }
    [[nodiscard]] Result<History> read(Round applied) override;
    [[nodiscard]] Result<Grant> grant(Epoch highest_named) override;
    [[nodiscard]] Result<SegmentNumber> rotate(SegmentNumber current, Round last,
                                               std::optional<WallTime> new_output) override;
    [[nodiscard]] Result<void> write_record(SegmentNumber segment, RoundRecord&& record) override;
    [[nodiscard]] Result<void> decide(SegmentNumber segment, Round round) override;
    [[nodiscard]] Result<void> write_output(Round round) override;
    void sync(SegmentNumber segment, Round round) override;
    void checkpoint(Snapshot snapshot) override;
    [[nodiscard]] Result<Words> words(SegmentNumber segment) override;
    void set_call_word(NodeId node, CallId call) override { volume_.call_words[node.value] = call; }
    [[nodiscard]] CallId call_word(NodeId node) override { return volume_.call_words[node.value]; }

    // --- the same in steps -----------------------------------------------------------------------
    [[nodiscard]] Epoch newest_epoch() const;
    [[nodiscard]] Result<Succession> seal_for_grant(Epoch highest_named);
    [[nodiscard]] Result<Succession> seal_for_rotation(SegmentNumber current, Round last,
                                                       std::optional<WallTime> new_output);
    /// What the sealed segment has must be durable before the next one has a name.
    [[nodiscard]] SyncJob begin_sync_of_sealed(const Succession& succession);
    /// Writes to output.txt what a holder may have left unwritten, and completes the header.
    void prepare(Succession& succession);
    /// Syncs the folder first: the segment before may be of a node that sleeps in front of its own sync of it.
    [[nodiscard]] Result<void> link(const Succession& succession);
    /// Syncs the folder, and looks whether the link was void: the journal up to it was trimmed meanwhile.
    [[nodiscard]] Result<void> confirm(const Succession& succession);

    /// The file that the segment names becomes output.txt, unless somebody was quicker. A power cut may take it back
    /// until sync_output_name().
    void turn_output(const SimSegment& segment);
    void enter_output(const SimSegment& segment);

    /// None: the segment has a successor and is trimmed, so all of it is durable.
    [[nodiscard]] std::optional<SyncJob> begin_sync(SegmentNumber segment, Round round);
    /// @return whether fdatasync returned 0.
    [[nodiscard]] static bool finish_sync(const SyncJob& job);
    /// The disk refused: the pages count as clean and are not on it.
    static void fail_sync(const SyncJob& job);
    /// The durable word may be raised by a living process alone.
    static void raise_durable(const SyncJob& job);

    /// Where a checkpoint of the snapshot stands; none: a higher one has it already.
    [[nodiscard]] std::optional<Position> position_of(const Snapshot& snapshot);
    [[nodiscard]] OutputSync begin_output_sync(Round round);
    void link_checkpoint(const Snapshot& snapshot, const Position& position);
    /// The first half of write_output().
    void write_output_half(Round round);
    [[nodiscard]] SimVolume& volume() { return volume_; }

private:
    /// A segment stays mapped when its name goes. Records that are older than the descriptor are suspect: if their
    /// sync failed, this descriptor will not hear of it.
    struct Opened {
        SharedSegment segment;
        std::uint64_t suspect_slots = 0;
        std::uint64_t errors = 0;
    };
    [[nodiscard]] Opened* open_with_descriptor(SegmentNumber number);
    [[nodiscard]] SharedSegment open(SegmentNumber number);
    [[nodiscard]] Result<void> make_next(Succession& succession);
    [[nodiscard]] bool begins_file(const SimSegment& segment, const Position& before, const RoundRecord& record) const;
    void write_filler(const SimSegment& segment);
    /// All rounds behind the checkpoint, up to those of `last`.
    void rewrite_output(SegmentNumber last);
    /// Another node linked the segment and did not come to name its file.
    void take_up_output(const SimSegment& segment);
    [[nodiscard]] const SimRecord& last_decided(Round round) const;

    SimVolume& volume_;
    Process self_;
    std::map<SegmentNumber, Opened> opened_;
    std::uint64_t output_errors_;  ///< heard of by the descriptor of output.txt
    Round suspect_round_;          ///< bytes of rounds up to here are older than that descriptor
    std::optional<SimRecord> last_decided_;
};

}  // namespace anel::simulation

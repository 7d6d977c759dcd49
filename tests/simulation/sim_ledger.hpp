// The ledger as one simulated node sees it: the Ledger seam over a SimVolume, also in steps that can be interleaved.
#pragma once

#include <map>
#include <optional>

#include "tests/simulation/volume.hpp"

namespace anel::simulation {

/// A grant or a rotation under way. Between any two of its steps others act, and the node may be frozen or die.
struct Succession {
    SharedSegment sealed;  ///< none at the very first grant
    SharedSegment next;
};

/// A sync under way: it covers what was written before it began.
struct SyncJob {
    SharedSegment segment;
    std::uint64_t written = 0;  ///< slots of the segment
    std::uint64_t decided = 0;
    Round round;
};

class SimLedger final : public Ledger {
public:
    SimLedger(SimVolume& volume, NodeId self) : volume_{volume}, self_{self} {}

    // --- the seam, each call at once -------------------------------------------------------------
    [[nodiscard]] LedgerId id() const override { return volume_.id(); }
    [[nodiscard]] Result<History> read(Round applied) override;
    [[nodiscard]] Result<Grant> grant(Epoch highest_named) override;
    [[nodiscard]] Result<SegmentNumber> rotate(SegmentNumber current, Round last) override;
    [[nodiscard]] Result<void> write_record(SegmentNumber segment, const RoundRecord& record) override;
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
    [[nodiscard]] Result<Succession> seal_for_rotation(SegmentNumber current, Round last);
    void sync_sealed(const Succession& succession);
    [[nodiscard]] Result<void> link(const Succession& succession);
    /// Syncs the folder, and looks whether the link was void: the journal up to it was trimmed meanwhile.
    [[nodiscard]] Result<void> confirm(const Succession& succession);
    /// Writes to output.txt what a holder may have left unwritten.
    void recover_output();

    [[nodiscard]] std::optional<SyncJob> begin_sync(SegmentNumber segment, Round round);
    static void finish_sync(const SyncJob& job);
    /// The durable word may be raised by a living process alone.
    static void raise_durable(const SyncJob& job);
    /// False: not all that it covers is durable yet; to be tried again after another sync.
    [[nodiscard]] bool finish_checkpoint(const Snapshot& snapshot, std::uint64_t output_size);
    [[nodiscard]] SimVolume& volume() { return volume_; }

private:
    [[nodiscard]] SharedSegment open(SegmentNumber number);
    [[nodiscard]] Succession succession_of(const SharedSegment& sealed, Epoch epoch) const;
    [[nodiscard]] bool decided_in_this_boot() const;

    SimVolume& volume_;
    NodeId self_;
    std::map<SegmentNumber, SharedSegment> opened_;  ///< stays mapped when its name goes
    std::optional<SimRecord> last_decided_;
};

}  // namespace anel::simulation

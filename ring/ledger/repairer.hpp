// One run of a repair: looks at everything first, then accepts what it was told to, then writes.
#pragma once

#include "ring/ledger/audit_output.hpp"
#include "ring/ledger/kept_journal.hpp"
#include "ring/ledger/repair.hpp"

namespace anel {

class Repairer {
public:
    /// @param output  none: it is missing
    Repairer(const RepairOptions& options, const LedgerPlace& place, std::optional<Output>& output);
    [[nodiscard]] Result<RepairReport> run();

private:
    // repair_look.cpp
    [[nodiscard]] Result<void> follow_output();
    [[nodiscard]] Result<void> look_at_files();
    /// Finished files may be missing from the front alone. `outside_hands`.
    [[nodiscard]] Result<void> check_no_hole();
    [[nodiscard]] Result<void> walk_journal();
    [[nodiscard]] Result<void> walk();
    [[nodiscard]] Result<void> walk_segment(Segment& segment);
    /// Of a record of an earlier boot that nobody was acked for, behind which a restored output.txt may go on: it does
    /// not count where other text stands in its place.
    [[nodiscard]] Result<bool> counts_in_restored(Segment& segment, std::uint64_t slot, const Record& record);
    void remember(std::string_view text, std::uint64_t offset);
    /// Bytes that are decided.
    [[nodiscard]] Result<void> put(std::string_view text, std::uint64_t offset);
    /// What an adoption before this one kept behind the last round: nothing else holds it.
    [[nodiscard]] Result<void> look_behind();
    /// What is older than the journal is compared with checksums; what differs cannot be restored.
    [[nodiscard]] Result<void> look_below();
    /// Unless it is known already that it is to be blank.
    void lose(const ByteRange& range);
    /// A range that cannot be restored: what is there of it has changed (or cannot be checked), the rest is lost.
    void take(const ByteRange& range);
    void take_of(const OutputPlace& place, const ByteRange& range);

    // repair_adopt.cpp
    [[nodiscard]] Result<void> adopt();
    [[nodiscard]] Result<void> make_pieces();
    /// Of the last 64 KiB as they will be, when all is written.
    [[nodiscard]] Result<std::uint64_t> tail_hash();
    /// Where the next segment begins: behind what stands in a restored file (or did, when it was adopted before), on a
    /// line of its own.
    [[nodiscard]] Result<void> set_tail(Adoption& adoption);
    /// Nothing more is decided in the newest segment, whoever still has it open.
    [[nodiscard]] Result<void> seal_newest();
    /// CRC32C, when all is written.
    [[nodiscard]] Result<std::uint32_t> crc_as_it_will_be(const ByteRange& range);
    /// Puts what is blank by definition into bytes that stand at `begin`.
    void blank_out(std::span<std::byte> bytes, std::uint64_t begin) const;
    [[nodiscard]] Result<void> link(const Adoption& adoption);

    // repair.cpp
    /// Only the ledger's own file is written to, or one that was just accepted; and never behind a hole, which would
    /// not be known for one any more.
    [[nodiscard]] bool may_write() const;
    /// Only now it is certain whose blanks count.
    [[nodiscard]] Result<void> write();

    const RepairOptions& options_;
    LedgerPlace place_;
    std::optional<Output>& output_;
    std::optional<OutputAudit> audit_;
    RepairReport report_;
    std::optional<Adoption> previous_;
    KeptJournal kept_;
    Position at_;
    std::uint64_t kept_from_ = 0;  ///< of the output: what is before was removed with its files
    std::uint64_t size_ = 0;       ///< of output.txt, before anything was written
    Overlay overlay_;              ///< what the journal has of the MiB that it begins in
    Overlay tail_;                 ///< and of the last 64 KiB, at least
    ReadAhead ahead_;
    std::vector<AdoptedPiece> pieces_;  ///< all that the adoption has
    bool newest_is_foreign_ = false;
    bool writing_ = false;
};

}  // namespace anel

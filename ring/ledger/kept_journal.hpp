// The kept part of the journal as one piece: from where a checkpoint needs it up to the newest segment.
#pragma once

#include "ring/ledger/kept_segment.hpp"
#include "ring/ledger/ledger_file.hpp"

namespace anel {

/// Where a ledger is looked at.
struct LedgerPlace {
    FileSystem& files;
    const Folders& folders;
    const LedgerFile& file;
    BootId boot;
    [[nodiscard]] LedgerId id() const { return file.identity().id; }
};

struct KeptJournal {
    std::optional<CheckpointMark> mark;
    SegmentNumber lowest;  ///< perhaps below what the checkpoint needs
    SegmentNumber newest;  ///< 0: no segment was ever made
};

/// `ledger_damaged`, with what is missing and what to do, when it is not in one piece.
[[nodiscard]] Result<KeptJournal> find_kept_journal(const LedgerPlace& place);

/// That a part of the journal is not there, though no checkpoint says that it may go: names it.
[[nodiscard]] tl::unexpected<Error> missing_segment(const Folders& folders, SegmentNumber number);

/// Goes through segments in order; each but the newest knows its final count.
class JournalWalk {
public:
    JournalWalk(const LedgerPlace& place, SegmentNumber lowest, SegmentNumber newest)
        : place_{place}, next_{lowest}, newest_{newest} {}
    /// The next one, for reading; nullptr behind the newest. `fenced`: it was trimmed meanwhile.
    [[nodiscard]] Result<Segment*> next();
    [[nodiscard]] bool at_newest() const { return next_ > newest_; }

private:
    [[nodiscard]] Result<std::unique_ptr<Segment>> open(SegmentNumber number) const;
    LedgerPlace place_;
    SegmentNumber next_;
    SegmentNumber newest_;
    std::unique_ptr<Segment> segment_;
    std::unique_ptr<Segment> successor_;
};

}  // namespace anel

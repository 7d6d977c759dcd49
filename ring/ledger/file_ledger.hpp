// The ledger on the shared volume. docs/DESIGN.md section 6 says what each step is for; every change it makes to
// the volume can fail because somebody was first, or may be repeated at any later moment without harm.
#pragma once

#include <filesystem>
#include <optional>
#include <set>

#include "ring/core/config.hpp"
#include "ring/core/ledger.hpp"
#include "ring/core/output_rotation.hpp"
#include "ring/ledger/checkpoint_thread.hpp"
#include "ring/ledger/kept_journal.hpp"
#include "ring/ledger/sync_thread.hpp"

namespace anel {

struct LedgerOptions {
    std::filesystem::path folder;  ///< of output.txt; `.anel` stands beside it
    std::set<NodeId> nodes;        ///< every configured node
    NodeId self;
    OutputFormat format = OutputFormat::classic;
    OutputRotation rotation;
    bool adopt = false;       ///< a new ledger may begin behind an output.txt that is not empty
    DurableCallback durable;  ///< called on the ledger's own threads
    SyncTookCallback sync_took;

    // For tests.
    FileSystem* files = nullptr;      ///< none: the real one
    std::optional<long> file_system;  ///< type as in statfs, instead of the real one
    std::optional<BootId> boot;       ///< instead of the machine's
};

class FileLedger final : public Ledger {
public:
    /// Opens the ledger of a folder, or makes it. Two nodes may do so at once. `folder_unusable`, `outside_hands`,
    /// `ledger_damaged`, each with one line that says what is wrong, where, and what to do.
    [[nodiscard]] static Result<std::unique_ptr<FileLedger>> open(const LedgerOptions& options);
    ~FileLedger() override;

    [[nodiscard]] LedgerId id() const override;
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
    void set_call_word(NodeId node, CallId call) override;
    [[nodiscard]] CallId call_word(NodeId node) override;

    /// Waits until no checkpoint is under way (tests).
    void wait_for_checkpoint() { checkpoints_->wait_idle(); }

private:
    /// A segment in the making: it has space, but no header and no name yet.
    struct Unborn {
        Descriptor fd;
        std::optional<OutputPlace> output;  ///< the new file that it begins, as far as that is known
    };
    FileLedger(FileSystem& files, Folders folders, LedgerFile file, Output output, const BootId& boot,
               const OutputRotation& rotation);
    [[nodiscard]] Result<void> start(const LedgerOptions& options);

    [[nodiscard]] LedgerPlace place() const { return {files_, folders_, file_, boot_}; }

    // follow.cpp
    [[nodiscard]] Segment* newest() const;
    /// Finds the newest segment, from the one known so far.
    [[nodiscard]] Result<void> follow();
    [[nodiscard]] Result<void> follow_segments();
    [[nodiscard]] Result<void> find_newest();
    /// Goes on in the file of the output that the segment names.
    [[nodiscard]] Result<void> enter_output(const Segment& segment);
    /// None where there is no such file, or where it is one that a sleeper linked after its number was trimmed.
    [[nodiscard]] Result<std::unique_ptr<Segment>> open_segment(SegmentNumber number);
    [[nodiscard]] Result<void> adopt_newest(std::unique_ptr<Segment> segment, bool made_here);
    /// Lets the older ones go. They are closed on another thread than the token's.
    void keep_segments(std::size_t count);

    // grant.cpp
    [[nodiscard]] Result<Unborn> prepare_segment();
    /// The segment begins a new file of the output, whose first round was made at this time.
    [[nodiscard]] Result<void> prepare_output(Unborn& unborn, WallTime begun_us);
    [[nodiscard]] Result<SegmentNumber> make_next(Unborn unborn, Epoch epoch);
    [[nodiscard]] Result<SegmentNumber> link_next(Unborn unborn, const SegmentHeader& header);
    /// Takes the name from a file of the output that no segment names.
    void forget(const std::optional<OutputPlace>& output);
    [[nodiscard]] Result<void> recover_output(Segment& last, const Position& tip);
    /// All rounds behind the checkpoint, up to those of this segment.
    [[nodiscard]] Result<void> rewrite_output(SegmentNumber last);
    /// Behind a restart of the machine the file before the one that `next` begins may be torn. It must be whole before it
    /// gets its number.
    [[nodiscard]] Result<void> finish_output(const Segment& next);
    [[nodiscard]] Result<SegmentHeader> next_header(const Unborn& unborn, Epoch epoch);

    // read.cpp
    [[nodiscard]] tl::unexpected<Error> lost_behind(Round round) const;
    /// The lowest segment to read for what is behind `applied`; none: trimmed.
    [[nodiscard]] Result<std::optional<SegmentNumber>> segment_behind(Round applied);
    /// False: trimmed while it was read.
    [[nodiscard]] Result<bool> read_rounds(Round applied, SegmentNumber from, History& history);
    [[nodiscard]] Result<void> read_segment(Segment& segment, Round applied, History& history);
    /// Segment and ledger still have their names, and the segment has at least `bytes`. `outside_hands`, `fenced`.
    [[nodiscard]] Result<void> check_names(const Segment& segment, std::uint64_t bytes) const;
    /// What a look at output.txt found: `fenced` where the ring went on behind `segment` while we slept, perhaps in a
    /// new file; else `outside_hands` is what it says.
    [[nodiscard]] Result<void> fenced_if_slept(const Segment& segment, Result<void> same) const;
    [[nodiscard]] bool begins_file(const Segment& segment, const Position& before, const RoundRecord& record) const;

    FileSystem& files_;
    Folders folders_;
    LedgerFile file_;
    Output output_;
    BootId boot_;
    OutputRotation rotation_;
    bool new_descriptor_ = false;  ///< the checkpoint thread's, of a file that others may have written to before
    std::map<SegmentNumber, std::unique_ptr<Segment>> segments_;  ///< the newest and the one before
    Reservation reservation_;                                     ///< of the newest segment
    Bytes head_;                                                  ///< header and changes of the record written last
    Bytes buffer_;

    /// The record written last, until the next one; it is decided when `decided`.
    struct Written {
        SegmentNumber segment;
        RecordHeader header;
        std::uint64_t slots = 0;  ///< before it
        std::string text;
        bool decided = false;
    };
    Written written_;
    std::unique_ptr<SyncThread> sync_;
    std::unique_ptr<CheckpointThread> checkpoints_;  ///< stops first: it waits for the sync thread
};

}  // namespace anel

// Writes checkpoints on a thread of its own: waits until all is durable, finishes block sums, links, trims. And closes
// segments, which takes long for the last of those who had a trimmed one open.
#pragma once

#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/checkpoint_file.hpp"
#include "ring/ledger/freeing.hpp"
#include "ring/ledger/kept_segment.hpp"
#include "ring/ledger/ledger_file.hpp"
#include "ring/ledger/output.hpp"
#include "ring/ledger/sync_thread.hpp"

namespace anel {

class CheckpointThread {
public:
    struct World {
        FileSystem& files;
        const Folders& folders;
        const LedgerIdentity& identity;
        const BootId& boot;
        SyncThread& sync;
    };
    /// @param output         a descriptor for this thread alone
    /// @param suspect_round  output of rounds up to here may have been written before `output` was opened
    CheckpointThread(World world, Output output, Round suspect_round);
    CheckpointThread(const CheckpointThread&) = delete;
    CheckpointThread& operator=(const CheckpointThread&) = delete;
    ~CheckpointThread();

    /// The output goes on in a new file, which was just opened for this thread alone.
    void follow(Output output);
    /// Output of rounds up to here may have been written before its file was opened for this thread.
    void suspect(Round round);
    /// Begins one; a later one replaces one that still waits.
    void begin(SegmentNumber segment, Snapshot snapshot);
    /// Closes it soon. The last close of a trimmed segment frees its blocks: tens of milliseconds.
    void close(std::unique_ptr<Segment> segment);
    /// Waits until nothing is under way (tests).
    void wait_idle();

private:
    struct Job {
        SegmentNumber segment;  ///< which holds the round
        Snapshot snapshot;
    };
    /// Where a walk through the journal stands.
    struct Walk {
        std::unique_ptr<Segment> segment;
        std::unique_ptr<Segment> successor;  ///< none: `segment` is the newest
        Position position;
        BlockSums sums;
        std::vector<SeriesFront> fronts;  ///< of the files that it came to
    };
    void run();
    void take_news();
    /// Its folder still has its name. `outside_hands`: in another place a checkpoint covers nothing.
    [[nodiscard]] Result<void> check_folder() const;
    /// The last one or two MiB that were finished or begun since the last checkpoint read as the records say.
    /// `outside_hands`: from a checkpoint on a start would take what is there for what was written.
    [[nodiscard]] Result<void> check_tail(const BlockSums& sums);
    /// Removes what the checkpoint made useless, and begins to free it.
    [[nodiscard]] Result<void> trim(const CheckpointMark& mark);
    [[nodiscard]] Result<void> make_output_durable(const Walk& walk, const std::optional<CheckpointMark>& previous);
    [[nodiscard]] Result<void> write(Job& job);
    /// None where the journal was trimmed under it: another node's checkpoint is newer.
    [[nodiscard]] Result<std::optional<Walk>> begin_walk(const std::optional<CheckpointMark>& previous);
    /// False: trimmed under it, as begin_walk.
    [[nodiscard]] Result<bool> walk_to(Walk& walk, Round round);
    /// Whether another node's checkpoint is why the journal is not there; else it is lost: `ledger_damaged`.
    [[nodiscard]] Result<void> explain_trimmed(const std::optional<CheckpointMark>& previous);
    [[nodiscard]] Result<void> take_slot(Walk& walk, std::uint64_t slot, Round last);
    /// Bytes that stand in no record, up to `end`: adopted ones.
    [[nodiscard]] Result<void> add_from_output(BlockSums& sums, std::uint64_t end);
    [[nodiscard]] Result<void> take_gap(Walk& walk);
    [[nodiscard]] Result<bool> enter(Walk& walk, SegmentNumber number);
    [[nodiscard]] Result<std::unique_ptr<Segment>> open(SegmentNumber number);

    World world_;
    Output output_;
    Round suspect_round_;
    Bytes buffer_;
    Freeing freeing_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Job> waiting_;
    std::vector<std::unique_ptr<Segment>> unneeded_;
    std::vector<Output> newer_outputs_;
    Round newer_suspect_;
    bool busy_ = false;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace anel

// `.anel/checkpoint/<round>`: the session table and where the ledger stood after a durable round.
#pragma once

#include "ring/ledger/folder.hpp"
#include "ring/ledger/position.hpp"

namespace anel {

/// What a checkpoint says beside the sessions.
struct CheckpointMark {
    Round round;
    Sequence sequence;
    WallTime wall_us = 0;
    SegmentNumber segment;         ///< the journal is needed from here on; lower segments may be trimmed
    std::uint64_t output_end = 0;  ///< bytes
    std::uint64_t hash = 0;        ///< of the round's record
    std::uint64_t tail_hash = 0;   ///< of the last 64 KiB of output before output_end
    std::uint32_t block_crc = 0;   ///< of the unfinished block that ends there
    friend bool operator==(const CheckpointMark&, const CheckpointMark&) = default;
};

struct Checkpoint {
    CheckpointMark mark;
    Snapshot snapshot;
};

/// Writes and names the checkpoint, durable; one of that round that is there already is as good.
[[nodiscard]] Result<void> write_checkpoint(FileSystem& files, const Folders& folders, LedgerId ledger,
                                            const Checkpoint& checkpoint);

/// The highest valid one, none where there is none. One that vanishes while it is read: starts again.
[[nodiscard]] Result<std::optional<Checkpoint>> newest_checkpoint(FileSystem& files, const Folders& folders,
                                                                  LedgerId ledger);
/// The same without sessions, whose bytes are not even read.
[[nodiscard]] Result<std::optional<CheckpointMark>> newest_mark(FileSystem& files, const Folders& folders,
                                                                LedgerId ledger);

/// Deletes lower checkpoints and the segments below what this one needs; never anything higher.
/// @return the deleted segments, still open; not yet durably deleted
[[nodiscard]] Result<std::vector<Descriptor>> trim_below(FileSystem& files, const Folders& folders,
                                                         const CheckpointMark& mark);

}  // namespace anel

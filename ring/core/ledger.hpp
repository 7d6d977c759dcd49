// What the core knows of the shared ledger: the values that cross the seam, and the seam itself.
// It has two implementations, files on the shared volume (ring/ledger) and memory (the simulator).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/ids.hpp"
#include "common/result.hpp"

namespace anel {

/// Microseconds since 1970 by the writer's clock, raised to the round before; for people and for idleness.
using WallTime = std::int64_t;

/// What the ledger knows of one client id.
struct Session {
    Instance instance;
    Round birth;               ///< the round that created it or gave it this instance
    ClientSequence last;       ///< the last client sequence written; 0: none yet
    Sequence sequence;         ///< ledger sequence of `last`
    Round round;               ///< the last round that changed it
    WallTime wall_us = 0;      ///< of that round: how idle the session is
    ClientSequence inherited;  ///< client sequences up to here were written by instances before this one
    friend bool operator==(const Session&, const Session&) = default;
};

/// What a round made of one session. Applying it twice changes nothing more.
struct SessionChange {
    std::string client_id;
    std::optional<Session> session;  ///< none: it retired
    std::vector<Sequence> each;      ///< anonymous sessions: the ledger sequence of every message of the round
    friend bool operator==(const SessionChange&, const SessionChange&) = default;
};

/// A round as it is decided. The ledger adds offset, checksum and the hash of the record before.
struct RoundRecord {
    Round round;
    Sequence first;           ///< ledger sequence of the first message (of the next one to come, when count is 0)
    std::uint64_t count = 0;  ///< messages; 0: only sessions changed, and the output stays as it is
    WallTime wall_us = 0;
    std::string text;  ///< the bytes for output.txt
    std::vector<SessionChange> changes;
    friend bool operator==(const RoundRecord&, const RoundRecord&) = default;
};

/// A decided round as the nodes tell it to each other: everything but its text.
struct RoundResult {
    SegmentNumber segment;
    Round round;
    Sequence first;
    std::uint64_t count = 0;
    WallTime wall_us = 0;
    std::uint64_t output_bytes = 0;
    std::vector<SessionChange> changes;
    friend bool operator==(const RoundResult&, const RoundResult&) = default;
};

/// The end of what was decided.
struct Tip {
    SegmentNumber segment;  ///< the newest one seen
    Epoch epoch;            ///< of that segment
    Round round;            ///< the last decided; 0: none
    Sequence sequence;      ///< of the last message; 0: none
    WallTime wall_us = 0;   ///< of the last round
    friend bool operator==(const Tip&, const Tip&) = default;
};

/// The whole session table after round `round`, the idlest session first.
struct Snapshot {
    Round round;
    Sequence sequence;
    WallTime wall_us = 0;
    std::vector<std::pair<std::string, Session>> sessions;
    friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// What was decided after a given round: a snapshot where the journal does not reach back so far, then rounds.
struct History {
    std::optional<Snapshot> snapshot;
    std::vector<RoundResult> rounds;
    Tip tip;
};

/// One epoch, granted to one candidate alone.
struct Grant {
    Epoch epoch;
    SegmentNumber segment;
};

/// A segment's words, told in rounds.
struct Words {
    bool sealed = false;
    Round decided;  ///< the last round decided in it, or before it
    Round durable;  ///< every round up to here is durable
};

/// The shared ledger as one node sees it. All calls come from one thread. Errors: `sync_failed`, `io_failed`,
/// `ledger_damaged`, `outside_hands` end the node; `fenced`, `newer_epoch` and `disk_full` are expected.
/// docs/DESIGN.md section 6 says what each does on the volume and why any of it may be repeated.
class Ledger {
public:
    Ledger() = default;
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;
    virtual ~Ledger() = default;

    [[nodiscard]] virtual LedgerId id() const = 0;

    /// Everything decided after `applied`, which is 0 for a node that starts.
    [[nodiscard]] virtual Result<History> read(Round applied) = 0;

    /// Seals the newest segment, makes all before durable, and makes the first segment of a new epoch.
    /// Writes the rounds to output.txt that a holder may have left unwritten. `newer_epoch`: the ledger's newest
    /// is above `highest_named`; `fenced`: another candidate was first.
    [[nodiscard]] virtual Result<Grant> grant(Epoch highest_named) = 0;

    /// Goes on in a new segment of the same epoch, behind `last`. `fenced`: the segment was sealed, by another node or
    /// by this one, which then found no way to go on; `disk_full`: nothing was sealed.
    /// @param new_output  the output goes on in a new file too; its first round was made at this time
    [[nodiscard]] virtual Result<SegmentNumber> rotate(SegmentNumber current, Round last,
                                                       std::optional<WallTime> new_output) = 0;

    /// Reserves space and writes the record behind the one before; nothing is decided by it. `disk_full`, `fenced`;
    /// `output_full`: its text begins a new file of the output, so rotate first.
    /// The text is the ledger's from then on; where nothing was written the record is as it was.
    [[nodiscard]] virtual Result<void> write_record(SegmentNumber segment, RoundRecord&& record) = 0;

    /// Decides the record written last, by compare-and-set. `fenced`: somebody sealed or was first.
    [[nodiscard]] virtual Result<void> decide(SegmentNumber segment, Round round) = 0;

    /// Writes the round decided last to output.txt at its offset.
    [[nodiscard]] virtual Result<void> write_output(Round round) = 0;

    /// Begins to make every round up to `round` durable; the owner of the ledger hears of the end.
    virtual void sync(SegmentNumber segment, Round round) = 0;

    /// Begins a checkpoint. It is linked when all it covers is durable.
    virtual void checkpoint(Snapshot snapshot) = 0;

    [[nodiscard]] virtual Result<Words> words(SegmentNumber segment) = 0;

    /// The mapped word of a node, by which a candidate proves that it sees the same volume.
    virtual void set_call_word(NodeId node, CallId call) = 0;
    [[nodiscard]] virtual CallId call_word(NodeId node) = 0;
};

}  // namespace anel

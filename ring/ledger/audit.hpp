// Does output.txt hold what the ledger says, byte for byte? Reads only, also while the ring runs.
#pragma once

#include <filesystem>
#include <optional>

#include "ring/core/ledger.hpp"
#include "ring/ledger/byte_range.hpp"
#include "ring/ledger/opened_ledger.hpp"

namespace anel {

struct AuditReport {
    std::uint64_t segments = 0;
    std::uint64_t rounds = 0;    ///< whose records are kept and were read
    std::uint64_t messages = 0;  ///< of those rounds
    Round first_round;           ///< of those rounds; 0: none
    Round last_round;            ///< the last decided; 0: none
    Sequence last_sequence;
    std::optional<Round> checkpoint;
    std::uint64_t output_bytes = 0;     ///< that the ledger answers for
    std::uint64_t adopted_bytes = 0;    ///< that stood there before the ledger was made
    std::vector<ByteRange> adopted;     ///< accepted as they were by anel repair --adopt: as they were then, no more
    std::uint64_t files = 1;            ///< of the output that are there
    std::uint64_t removed_files = 0;    ///< finished ones, the oldest, that were removed
    std::uint64_t removed_bytes = 0;    ///< that those had
    std::uint64_t exact_from = 0;       ///< from this byte on, output was compared with the records
    std::uint64_t block_bytes_end = 0;  ///< up to this byte, output was compared with a checksum for each MiB
    std::uint64_t filler_lines = 0;     ///< lines of blanks that power cuts left
    std::uint64_t filler_bytes = 0;
    std::uint64_t sessions = 0;             ///< client ids seen in the records
    std::uint64_t counted_rounds = 0;       ///< whose messages were counted against all sessions they changed
    std::uint64_t trailing_bytes = 0;       ///< behind the last round: decided meanwhile, or left by a power cut
    bool last_round_pending = false;        ///< decided, not yet in output.txt: the next holder writes it
    std::vector<ByteRange> faults;          ///< below the journal: where output.txt differs, MiB for MiB
    std::optional<std::string> difference;  ///< the first one, where, and what to do; none: all agrees
};

enum class AuditScope {
    all,
    journal,  ///< of output.txt only what the journal still has; what is before may be gone
};
/// Audits the ledger of a folder. An error means that there is nothing to audit (no folder, no ledger, not readable);
/// what is wrong with a ledger is a difference.
[[nodiscard]] Result<AuditReport> audit(const std::filesystem::path& folder, AuditScope scope = AuditScope::all);
/// The same of a ledger that is open already; the ring may have gone on since.
[[nodiscard]] Result<AuditReport> audit(FileSystem& files, OpenedLedger& opened, AuditScope scope = AuditScope::all);

/// The report for people, line by line; says what was exact to the byte and what to the MiB.
[[nodiscard]] std::vector<std::string> describe(const AuditReport& report);

}  // namespace anel

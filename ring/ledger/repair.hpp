// `anel repair`: puts a folder that outside hands have changed in order again, or accepts it as it is.
//
// Writes to output.txt only what decided records say, and blanks only where a linked adoption says so: whoever ends in
// the middle of it, or goes on hours later, does no harm. DESIGN.md section 6 has the rules.
#pragma once

#include <filesystem>

#include "ring/core/ledger.hpp"
#include "ring/ledger/byte_range.hpp"
#include "ring/ledger/segment.hpp"

namespace anel {

enum class RepairMode {
    rewrite,  ///< what the journal still has
    adopt,    ///< and accept the rest
};

struct RepairOptions {
    std::filesystem::path folder;
    RepairMode mode = RepairMode::rewrite;
    bool dry_run = false;  ///< look only; nodes may live

    // For tests.
    FileSystem* files = nullptr;  ///< none: the real one
    std::optional<BootId> boot;   ///< instead of the machine's
};

struct RepairReport {
    std::vector<ByteRange> rewritten;    ///< of output.txt, from the journal (or to be, where nothing may be written)
    std::vector<ByteRange> lost;         ///< missing, and older than the journal: blanks when adopted
    std::vector<ByteRange> changed;      ///< differs from what was written, MiB for MiB, and older than the journal
    std::vector<ByteRange> unchecked;    ///< no checksum says what it was: of a MiB that was cut, or the sums are gone
    std::optional<ByteRange> behind;     ///< behind the last round: bytes that the ledger does not know
    std::optional<ByteRange> kept_tail;  ///< of that, what an adoption before this one keeps
    std::optional<std::uint64_t> appended_at;     ///< byte of output.txt that somebody else wrote behind
    std::optional<std::uint64_t> sums_lost_from;  ///< `.anel/blocks` ends at this byte of output.txt
    bool output_missing = false;
    bool output_replaced = false;
    bool ledger_copied = false;
    std::uint64_t journal_from = 0;  ///< byte of output.txt from which on the journal has all
    std::uint64_t output_end = 0;    ///< of the last round
    Round last_round;
    Sequence last_sequence;
    std::optional<std::uint64_t> adoption;  ///< its number, when one was made (would be, in a dry run)

    [[nodiscard]] bool restored() const { return ledger_copied || output_replaced; }
    /// There is something that only an adoption can settle.
    [[nodiscard]] bool needs_adoption() const {
        return output_missing || output_replaced || ledger_copied || sums_lost_from || !lost.empty() ||
               !changed.empty() || !unchecked.empty();
    }
};

/// `folder_unusable`: nothing to repair here, or a node lives. `ledger_damaged`: nothing on the volume can restore it;
/// the text says what to do. Nothing was changed then.
[[nodiscard]] Result<RepairReport> repair(const RepairOptions& options);

/// The report for people, line by line; the last one says how it ended.
[[nodiscard]] std::vector<std::string> describe(const RepairReport& report, const RepairOptions& options);

}  // namespace anel

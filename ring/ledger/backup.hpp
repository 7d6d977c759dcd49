// `anel backup`: a copy of a whole ledger as it was at one moment, also while the ring runs.
#pragma once

#include <filesystem>

#include "ring/ledger/repair.hpp"

namespace anel {

struct BackupReport {
    std::optional<Round> checkpoint;  ///< the copy's journal begins with it; none: with round 1
    std::uint64_t segments = 0;
    Round last_round;
    Sequence last_sequence;
    std::uint64_t output_bytes = 0;
    RepairReport check;  ///< what a repair of the copy would find

    /// The copy is as good as the ledger says.
    [[nodiscard]] bool sound() const {
        return check.changed.empty() && check.lost.empty() && check.unchecked.empty() && !check.output_missing;
    }
};

/// Copies what the ring has decided by now. `target` is made, or is an empty folder; it gets `.anel/ledger` last, so a
/// copy that was not finished is not taken for one. The copy is used after `anel repair --adopt`.
[[nodiscard]] Result<BackupReport> backup(const std::filesystem::path& folder, const std::filesystem::path& target);

}  // namespace anel

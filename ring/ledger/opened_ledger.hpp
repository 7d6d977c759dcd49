// A ledger opened by one who only looks: audit and backup. The ring may run.
#pragma once

#include "ring/ledger/kept_journal.hpp"
#include "ring/ledger/output.hpp"

namespace anel {

struct OpenedLedger {
    Folders folders;
    LedgerFile file;
    std::optional<CheckpointMark> mark;  ///< of the newest checkpoint, from before the output was opened
    Output output;
    BootId boot;
    [[nodiscard]] LedgerPlace place(FileSystem& files) const { return {files, folders, file, boot}; }
};

/// `folder_unusable`: there is no ledger. `ledger_damaged`, `outside_hands`: a part of it is missing.
[[nodiscard]] Result<OpenedLedger> open_to_look(FileSystem& files, const std::filesystem::path& folder);

}  // namespace anel

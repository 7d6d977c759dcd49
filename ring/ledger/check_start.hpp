// What must be there, and be what it was, before a node uses a ledger: each thing that outside hands may have done to
// it is named, with the way out.
#pragma once

#include "ring/ledger/adoption.hpp"
#include "ring/ledger/checkpoint_file.hpp"
#include "ring/ledger/output.hpp"

namespace anel {

/// That no part of a ledger stands there without its `.anel/ledger`. `ledger_damaged`.
[[nodiscard]] Result<void> check_no_remains(FileSystem& files, const Folders& folders);

/// That the folders of a ledger are there. `ledger_damaged`.
[[nodiscard]] Result<void> check_inner_folders(FileSystem& files, Folders& folders);

/// That ledger and output.txt are the files of this ledger, and not others in their place. `outside_hands`.
[[nodiscard]] Result<void> check_files(const Folders& folders, const LedgerFile& file, const Output& output,
                                       const std::optional<Adoption>& adoption);

/// check_files, and that output.txt and block sums are as long as they were, and the end of output.txt is what it was.
/// @param mark  of the newest checkpoint, from before `output` was opened: a ring that runs may since have gone on in a
///              new file, and made a checkpoint there
/// `outside_hands`, `ledger_damaged`.
[[nodiscard]] Result<void> check_start(FileSystem& files, const Folders& folders, const LedgerFile& file,
                                       const std::optional<CheckpointMark>& mark, const Output& output);

/// That the ledger of `folder` is of these nodes and in this format. `folder_unusable`.
[[nodiscard]] Result<void> check_identity(const std::filesystem::path& folder, const LedgerIdentity& identity,
                                          const std::set<NodeId>& nodes, OutputFormat format);

[[nodiscard]] tl::unexpected<Error> output_is_missing(const Folders& folders);

}  // namespace anel

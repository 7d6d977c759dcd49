// `anel verify`: audits a ledger against its output.txt.
#pragma once

#include <filesystem>

namespace anel {

/// Prints the audit of the ledger in `folder`. @return 0 clean, 1 differs, 2 nothing to audit.
int verify_main(const std::filesystem::path& folder);

}  // namespace anel

// What to do about a folder that outside hands have changed, as messages say it. docs/OPERATIONS.md says it at length.
#pragma once

#include <fmt/format.h>

#include <filesystem>

namespace anel::way_out {

inline std::string repair(const std::filesystem::path& folder) {
    return fmt::format("stop all nodes and run anel repair {}", folder.string());
}
inline std::string adopt(const std::filesystem::path& folder) {
    return fmt::format("stop all nodes and run anel repair --adopt {}", folder.string());
}
/// For text behind the end of output.txt that is not the ring's.
inline std::string cut_off(const std::filesystem::path& folder, std::uint64_t bytes) {
    return fmt::format("stop all nodes, keep a copy of it elsewhere if it matters, and run truncate -s {} {}", bytes,
                       (folder / "output.txt").string());
}
/// For a part of the ledger that nothing else holds.
inline std::string put_back(const std::filesystem::path& folder) {
    return fmt::format(
        "stop all nodes and put it back; without it, move {}/.anel away and start once with ANEL_ADOPT=true: "
        "a new ledger begins behind the old output.txt",
        folder.string());
}

/// For a file that is there and cannot be read back; its name stands before.
inline constexpr const char* good_copy =
    "stop all nodes and put a good copy of that file back, or begin a new ledger (OPERATIONS.md, section 7)";

}  // namespace anel::way_out

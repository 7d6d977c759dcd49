// Is the data folder fit for a ledger, and the ledger in it as it was left?
#pragma once

#include <cstdint>
#include <filesystem>

#include "client/doctor/finding.hpp"
#include "ring/daemon/settings.hpp"

namespace anel::command::doctor {

/// What the settings name as data folder. Writes a trial file there, which has no name but for a moment.
[[nodiscard]] Findings check_volume(const Settings& settings);

/// Of free space, in bytes and in files that can still be made.
struct Room {
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
};
[[nodiscard]] Finding judge_room(const std::string& folder, Room room, std::uint64_t segment_bytes);

}  // namespace anel::command::doctor

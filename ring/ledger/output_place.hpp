// Where the output goes on: the files that it is a series of, and their names.
//
// Offsets of output are of the whole series, as if it were one file. The newest file is output.txt; one that is finished
// is output.000001.txt and so on. A new file waits under a hidden name that is used once, and takes output.txt's name by a
// rename, which can work once: so no sleeper can give that name to an older file.
#pragma once

#include <fmt/format.h>

#include "ring/core/ledger.hpp"
#include "ring/ledger/file_identity.hpp"
#include "ring/ledger/folder.hpp"

namespace anel {

/// One file of the series, as the headers of its segments say it. File 1 is the output.txt that the ledger began with.
struct OutputPlace {
    std::uint64_t file = 1;
    std::uint64_t segment = 0;  ///< the first one whose rounds it has
    std::uint64_t base = 0;     ///< bytes of output before it
    std::uint64_t base_round = 0;
    std::int64_t begun_us = 0;  ///< when the round was made for which it was begun; file 1: 0, nobody knows
    FileIdentity identity{};    ///< file 1: .anel/ledger has it
    std::uint64_t tag = 0;      ///< of the name under which it waited
    friend bool operator==(const OutputPlace&, const OutputPlace&) = default;
};

/// The name of a finished file, in the data folder.
[[nodiscard]] inline std::string finished_name(std::uint64_t file) { return fmt::format("output.{:06d}.txt", file); }
/// The name of a file that is not output.txt yet, in the data folder. Nobody ever gives it again.
[[nodiscard]] inline std::string waiting_name(const OutputPlace& place) {
    return fmt::format(".output.{:06d}.{:016x}", place.file, place.tag);
}

/// Takes away hidden names of files up to this one that no segment names: whoever made them was not first.
[[nodiscard]] Result<void> trim_waiting_outputs(FileSystem& files, const Folders& folders, const OutputPlace& place);

}  // namespace anel

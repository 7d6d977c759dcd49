// Which pieces of the output are finished, and what an export of one becomes: a file that is there whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/command/export/rows.hpp"
#include "common/descriptor.hpp"
#include "common/result.hpp"

namespace anel::command {

/// A file `output.NNNNNN.txt`.
struct Piece {
    std::uint64_t number = 0;
    std::filesystem::path path;
};

struct Pieces {
    std::vector<Piece> finished;     ///< in the order of their numbers
    std::optional<Piece> uncertain;  ///< the first one that the machine's restart may have torn
};

/// The numbered files of the folder: a file gets its number when it is whole. Where a ledger stands beside them, only what
/// is certain: behind a restart of the machine a ring has to form, which writes again what was torn.
[[nodiscard]] Result<Pieces> finished_pieces(const std::filesystem::path& folder);

/// The folder that exports go to. One process at a time has it.
class ExportFolder {
public:
    /// Makes the folder where its parent is there. `bad_configuration`: it is none, or somebody else has it.
    [[nodiscard]] static Result<ExportFolder> open(const std::filesystem::path& path, RowFormat format);

    [[nodiscard]] std::string name_of(const Piece& piece) const;
    [[nodiscard]] bool has(const Piece& piece) const;
    /// Writes NAME.part, makes it durable, and gives it its name: whoever sees the name reads all of it, also after a
    /// power cut. @return how many rows it has.
    [[nodiscard]] Result<std::uint64_t> add(const Piece& piece) const;

private:
    ExportFolder(std::filesystem::path path, Descriptor descriptor, RowFormat format)
        : path_{std::move(path)}, descriptor_{std::move(descriptor)}, format_{format} {}

    std::filesystem::path path_;
    Descriptor descriptor_;
    RowFormat format_;
};

}  // namespace anel::command

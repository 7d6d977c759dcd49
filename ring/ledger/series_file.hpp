// `.anel/series`: where each file of the output begins, at fixed offsets, for as long as the ledger lives. The headers of
// segments say it first; this says it when those are trimmed. `anel` is the folder, invalid where there is none.
#pragma once

#include <filesystem>
#include <vector>

#include "ring/ledger/files.hpp"
#include "ring/ledger/output_place.hpp"

namespace anel {

/// All files that are known, file 1 first. `ledger_damaged` when one between others is.
[[nodiscard]] Result<std::vector<OutputPlace>> read_series(FileSystem& files, int anel);

/// That it knows less than it did.
[[nodiscard]] tl::unexpected<Error> series_is_cut(const std::filesystem::path& folder);

/// Writes what a segment's header says, durable. Whoever writes it late writes the same bytes.
[[nodiscard]] Result<void> write_series_place(FileSystem& files, int anel, const OutputPlace& place);

/// The checksum of the part of a MiB of output that the files before this one have: so the MiB can be checked when they
/// are gone.
struct SeriesFront {
    std::uint64_t file = 0;
    std::uint32_t crc = 0;
};
[[nodiscard]] Result<void> write_series_front(FileSystem& files, int anel, const SeriesFront& front);
/// None: no checkpoint has come so far yet.
[[nodiscard]] Result<std::optional<std::uint32_t>> read_series_front(FileSystem& files, int anel, std::uint64_t file);

}  // namespace anel

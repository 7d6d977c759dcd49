// The output part of an audit: bytes against bytes where the records are kept, against checksums below.
#pragma once

#include "ring/ledger/adoption.hpp"
#include "ring/ledger/output.hpp"

namespace anel {

/// What checksums say of the part of output.txt below the journal.
struct BlocksAudit {
    std::vector<ByteRange> faults;             ///< differ from what the records were, MiB for MiB
    std::vector<AdoptedPiece> adopted;         ///< as they were adopted
    std::vector<AdoptedPiece> changed_pieces;  ///< adopted, and changed since (or blanks not written yet)
    std::optional<std::uint64_t> sums_end;     ///< `.anel/blocks` ends here, before it should
};

/// Bytes that records say, whatever output.txt has: they stand in front of it when a block is checked.
struct Overlay {
    std::uint64_t begin = 0;
    Bytes bytes;
};

/// Which files of the output are there. The oldest may be missing, and none between others.
struct SeriesAudit {
    std::uint64_t files = 1;
    std::uint64_t removed_files = 0;
    std::uint64_t removed_bytes = 0;
    std::optional<std::string> missing;  ///< between others: which, and what to do
    std::optional<std::string> longer;   ///< a finished file has more than the ring wrote
};

class OutputAudit {
public:
    explicit OutputAudit(Output& output)
        : output_{output}, read_{[&output](auto into, auto at) { return output.read(into, at); }} {}
    [[nodiscard]] Output& file() const { return output_; }

    /// The bytes from the first to behind the last that are not as in `text`, written at `offset`; none: all are.
    [[nodiscard]] Result<std::optional<ByteRange>> difference(std::string_view text, std::uint64_t offset);

    [[nodiscard]] Result<SeriesAudit> check_series() const;
    /// Compares each MiB below `end` with its checksum, and the pieces of an adoption with theirs instead; but for what
    /// finished files had that were removed from the front.
    /// @param end          of what a checkpoint covers, bytes
    /// @param partial_crc  of the unfinished MiB there
    [[nodiscard]] Result<BlocksAudit> check_blocks(FileSystem& files, const Folders& folders, std::uint64_t end,
                                                   std::uint32_t partial_crc, const std::optional<Adoption>& adoption,
                                                   const Overlay& overlay);
    /// What stands behind the last round is what was adopted there. Once a segment follows, its MiB get checksums.
    [[nodiscard]] Result<bool> has_tail(const Adoption& adoption);
    /// CRC32C of a part of output.txt; none: it is shorter.
    [[nodiscard]] Result<std::optional<std::uint32_t>> crc_of(const ByteRange& range, const Overlay& overlay);

private:
    /// Of the part of a MiB that the removed files had; none: it cannot be checked.
    [[nodiscard]] Result<std::optional<std::uint32_t>> front_crc(FileSystem& files, const Folders& folders,
                                                                 std::uint64_t begin);
    [[nodiscard]] Result<std::optional<std::uint32_t>> crc_of(const ByteRange& range, const Overlay& overlay,
                                                              std::uint32_t crc);
    Output& output_;
    ReadAt read_;
    ReadAhead ahead_;
    Bytes part_;
};

}  // namespace anel

// `.anel/adopted/<n>`: what an operator accepted of a folder that outside hands had changed. The highest one counts.
//
// Linked once under the next number, like a segment, and never removed: which files are the ledger's from now on, and
// which bytes of output.txt the ledger cannot answer for any more.
#pragma once

#include "ring/ledger/byte_range.hpp"
#include "ring/ledger/ledger_file.hpp"
#include "ring/ledger/output_place.hpp"

namespace anel {

/// Bytes of output.txt that are what they are: nothing in the ledger says what the ring wrote there.
struct AdoptedPiece {
    ByteRange range;
    std::uint32_t crc = 0;  ///< CRC32C of the bytes as they were accepted
    bool blank = false;     ///< they were lost: by definition blanks with a line feed at the end
    friend bool operator==(const AdoptedPiece&, const AdoptedPiece&) = default;
};

struct Adoption {
    std::uint64_t number = 0;
    FileIdentity ledger_file;
    FileIdentity output;
    Round round;                            ///< the last decided
    SegmentNumber segment;                  ///< the newest; 0: none
    std::uint64_t output_end = 0;           ///< of that round, bytes
    std::uint64_t tail_hash = 0;            ///< XXH3 of the last 64 KiB of output.txt before output_end
    std::uint64_t tail_end = 0;             ///< what stands behind output_end is adopted up to here
    std::optional<std::uint32_t> tail_crc;  ///< CRC32C of that; none: a program wrote it that knew none
    std::uint64_t base_offset = 0;          ///< where the next segment begins: behind it, after a line feed
    std::vector<AdoptedPiece> pieces;       ///< ascending, all that count, also of adoptions before

    /// Nothing was decided since: what it says of the last round and of the tail behind that holds.
    [[nodiscard]] bool is_behind(SegmentNumber newest, Round last) const { return segment == newest && round == last; }
    [[nodiscard]] ByteRange tail() const { return {output_end, tail_end}; }
};

/// All of them, ascending. `ledger_damaged`, `unsupported`.
[[nodiscard]] Result<std::vector<Adoption>> read_adoptions(FileSystem& files, const Folders& folders, LedgerId ledger);
/// The one that counts; none: nothing was ever adopted.
[[nodiscard]] Result<std::optional<Adoption>> newest_adoption(FileSystem& files, const Folders& folders,
                                                              LedgerId ledger);

/// Writes and names it, durable. False: another process took its number first; nothing was adopted here.
[[nodiscard]] Result<bool> write_adoption(FileSystem& files, const Folders& folders, LedgerId ledger,
                                          const Adoption& adoption);

/// The file that must be the ledger's (output.txt's) today.
[[nodiscard]] const FileIdentity& ledger_file_of(const LedgerIdentity& identity,
                                                 const std::optional<Adoption>& adoption);
/// @param place  the file of the output that has that name
[[nodiscard]] const FileIdentity& output_of(const LedgerIdentity& identity, const std::optional<Adoption>& adoption,
                                            const OutputPlace& place);

}  // namespace anel

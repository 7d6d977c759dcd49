// `.anel/blocks`: the CRC32C of each finished MiB of output.txt, 4 bytes each at fixed offsets, so that output can
// be audited where the journal is trimmed already. The sums come from the records, never from output.txt itself.
#pragma once

#include "ring/ledger/files.hpp"
#include "ring/ledger/folder.hpp"

namespace anel {

inline constexpr std::uint64_t block_bytes = 1024 * 1024;

/// Follows output.txt from some offset on and keeps the sums of the blocks that were finished meanwhile.
class BlockSums {
public:
    /// @param partial_crc  of the bytes from the start of the block that `offset` lies in
    BlockSums(std::uint64_t offset, std::uint32_t partial_crc)
        : offset_{offset}, first_{offset / block_bytes}, partial_{partial_crc} {}

    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    [[nodiscard]] std::uint32_t partial() const { return partial_; }
    /// A run of this checksum and length can be added without its bytes.
    [[nodiscard]] bool fits(std::uint64_t bytes) const { return offset_ % block_bytes + bytes <= block_bytes; }
    void add(std::uint32_t crc, std::uint64_t bytes);
    /// @return the checksum of the bytes
    std::uint32_t add(BytesView bytes);

    [[nodiscard]] std::uint64_t first_finished() const { return first_; }  ///< number of a block
    [[nodiscard]] const std::vector<std::uint32_t>& finished() const { return finished_; }

private:
    void finish_if_full();
    std::uint64_t offset_;
    std::uint64_t first_;
    std::uint32_t partial_;
    std::vector<std::uint32_t> finished_;
};

/// Writes the finished sums at their places and makes them durable. Writing them again changes nothing.
/// `ledger_damaged` when those before them are gone.
[[nodiscard]] Result<void> write_block_sums(FileSystem& files, const Folders& folders, const BlockSums& sums);

/// Makes `.anel/blocks` that long, with zeros for what is missing. Only where all of these blocks are adopted.
[[nodiscard]] Result<void> extend_block_sums(FileSystem& files, const Folders& folders, std::uint64_t count);

/// The sums of blocks 0..count-1, as far as they are there.
[[nodiscard]] Result<std::vector<std::uint32_t>> read_block_sums(FileSystem& files, const Folders& folders,
                                                                 std::uint64_t count);
[[nodiscard]] Result<std::uint64_t> count_block_sums(FileSystem& files, const Folders& folders);

}  // namespace anel

// CRC32C (Castagnoli), the checksum of everything the ledger writes. RFC 3720 has its polynomial and test vectors.
#pragma once

#include <cstdint>

#include "common/blob.hpp"

namespace anel {

/// The checksum of `bytes`, continued from `before`, the checksum of what stands in front of them (0: nothing).
/// Uses the processor's instruction where there is one.
[[nodiscard]] std::uint32_t crc32c(BytesView bytes, std::uint32_t before = 0);

/// The same by table, for processors without the instruction.
[[nodiscard]] std::uint32_t crc32c_by_table(BytesView bytes, std::uint32_t before = 0);

/// The checksum of two runs of bytes together, from the checksum of each and the length of the second in bytes.
[[nodiscard]] std::uint32_t crc32c_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);

}  // namespace anel

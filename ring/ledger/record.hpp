// The bytes of one slot of a segment: a fixed header, the session changes, the text, and how each is checked.
//
// The header holds checksum and hash of what follows it, so the chain of hashes can be walked by headers alone.
#pragma once

#include <optional>

#include "common/blob.hpp"
#include "ring/ledger/position.hpp"

namespace anel {

struct RecordHeader {
    std::uint32_t magic = 0;
    std::uint32_t header_crc = 0;  ///< CRC32C of the header behind this field
    std::uint64_t length = 0;      ///< bytes of the whole record, a multiple of 8
    std::uint64_t round = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::int64_t wall_us = 0;
    std::uint64_t output_offset = 0;  ///< bytes, in output.txt
    std::uint64_t text_bytes = 0;
    std::uint64_t body_hash = 0;      ///< XXH3 of the text, seeded with XXH3 of the changes
    std::uint64_t previous_hash = 0;  ///< hash of the record before, or what the segment's header says
    std::uint32_t changes_bytes = 0;
    std::uint32_t changes_crc = 0;
    std::uint32_t text_crc = 0;
    std::uint32_t reserved = 0;
};

inline constexpr std::size_t record_header_bytes = sizeof(RecordHeader);
inline constexpr std::uint64_t record_bytes_max = std::uint64_t{1} << 31U;

/// A record read back; `text` points into the buffer it was decoded from.
struct Record {
    RecordHeader header;
    std::vector<SessionChange> changes;
    std::string_view text;
};

/// Appends header and changes of the record behind `before` to `into`; the text and padding() zero bytes follow it.
RecordHeader encode_record(const RoundRecord& record, const Position& before, Bytes& into);
[[nodiscard]] std::size_t padding(const RecordHeader& header);

/// The position behind a record that continues `before`.
[[nodiscard]] Position position_after(const RecordHeader& header, const Position& before);

/// What is wrong with a header that should continue `before`; none: nothing.
[[nodiscard]] std::optional<std::string> fault_of(const RecordHeader& header, const Position& before);

[[nodiscard]] RecordHeader decode_header(BytesView bytes);

/// Checks body and changes of a record whose header is right. An error is a sentence about what is wrong.
[[nodiscard]] tl::expected<Record, std::string> decode_record(const RecordHeader& header, BytesView bytes);

void encode_session(const Session& session, Bytes& into);
class ByteReader;
[[nodiscard]] Session decode_session(ByteReader& reader);

}  // namespace anel

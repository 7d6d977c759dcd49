// The records of an outbox file: each with its length and a checksum, so that a torn or rotten one is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace anel::client {

inline constexpr char kind_identity = 'I';  ///< instance (8 bytes), client id
inline constexpr char kind_batch = 'B';     ///< a push frame, as it goes to a node
inline constexpr char kind_acked = 'A';     ///< client sequence (8 bytes)
inline constexpr char kind_sent = 'S';      ///< client sequence (8 bytes)
inline constexpr char kind_birth = 'W';     ///< birth of the session (8 bytes), as its welcome told it

struct OutboxRecord {
    char kind = 0;
    std::string_view data;
    std::size_t bytes = 0;  ///< of the whole record
};

void put_record(std::string& into, char kind, std::string_view data);
void put_record(std::string& into, char kind, std::uint64_t number);

/// The number that stands in front of these bytes, of which there are 8.
[[nodiscard]] std::uint64_t number_of(std::string_view data);
[[nodiscard]] std::string text_of_number(std::uint64_t number);

/// The record that begins with the first byte; none: it is torn or rotten.
[[nodiscard]] std::optional<OutboxRecord> first_record(std::string_view bytes);
/// Where a whole record begins behind the first byte. One that stands behind a bad one shows that this is no torn end:
/// a record is written only when all before it is in the file.
[[nodiscard]] std::optional<std::size_t> find_later_record(std::string_view bytes);

}  // namespace anel::client

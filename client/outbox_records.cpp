#include "client/outbox_records.hpp"

#include <array>
#include <cstring>

namespace anel::client {
namespace {

// A record: length (4 bytes), checksum (8), then a kind and its data. All numbers little endian.
constexpr std::size_t head_bytes = 12;

/// FNV-1a, 64 bits: finds torn and rotten records; nobody forges one's own outbox.
std::uint64_t checksum_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
    return hash;
}

template <class Integer>
void put(std::string& into, Integer value) {
    std::array<char, sizeof value> raw{};
    std::memcpy(raw.data(), &value, sizeof value);
    into.append(raw.data(), raw.size());
}

template <class Integer>
Integer get(std::string_view from) {
    Integer value{};
    std::memcpy(&value, from.data(), sizeof value);
    return value;
}

/// Cheap, and true of every record: without it each place in a large file would cost a checksum.
bool may_begin_record(std::string_view bytes) {
    if (bytes.size() <= head_bytes) return false;
    const auto payload = bytes.substr(head_bytes);
    switch (payload.front()) {
        case kind_batch: return payload.substr(1).starts_with("\x96\x01\xa4push");
        case kind_identity: return get<std::uint32_t>(bytes) > sizeof(std::uint64_t);
        case kind_acked:
        case kind_sent:
        case kind_birth: return get<std::uint32_t>(bytes) == 1 + sizeof(std::uint64_t);
        default: return false;
    }
}

}  // namespace

void put_record(std::string& into, char kind, std::string_view data) {
    std::string payload{kind};
    payload += data;
    put(into, static_cast<std::uint32_t>(payload.size()));
    put(into, checksum_of(payload));
    into += payload;
}

void put_record(std::string& into, char kind, std::uint64_t number) { put_record(into, kind, text_of_number(number)); }

std::uint64_t number_of(std::string_view data) { return get<std::uint64_t>(data); }

std::string text_of_number(std::uint64_t number) {
    std::string text;
    put(text, number);
    return text;
}

std::optional<OutboxRecord> first_record(std::string_view bytes) {
    if (bytes.size() < head_bytes) return std::nullopt;
    const auto length = get<std::uint32_t>(bytes);
    if (length == 0 || length > bytes.size() - head_bytes) return std::nullopt;
    const auto payload = bytes.substr(head_bytes, length);
    if (get<std::uint64_t>(bytes.substr(4)) != checksum_of(payload)) return std::nullopt;
    return OutboxRecord{payload.front(), payload.substr(1), head_bytes + length};
}

std::optional<std::size_t> find_later_record(std::string_view bytes) {
    for (std::size_t at = 1; at + head_bytes < bytes.size(); ++at) {
        const auto rest = bytes.substr(at);
        if (may_begin_record(rest) && first_record(rest)) return at;
    }
    return std::nullopt;
}

}  // namespace anel::client

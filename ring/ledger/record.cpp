#include "ring/ledger/record.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fmt/format.h>

#include "common/assert.hpp"
#include "common/limits.hpp"
#include "ring/ledger/bytes.hpp"
#include "ring/ledger/crc32c.hpp"

namespace anel {
namespace {

constexpr std::uint32_t record_magic = 0x524c4e41;  // "ANLR"
constexpr std::size_t crc_begins = offsetof(RecordHeader, length);

std::uint64_t body_hash(BytesView changes, std::string_view text) {
    return XXH3_64bits_withSeed(text.data(), text.size(), XXH3_64bits(changes.data(), changes.size()));
}
std::uint64_t hash_of(const RecordHeader& header) { return XXH3_64bits(&header, sizeof header); }
std::uint32_t crc_of(const RecordHeader& header) { return crc32c(bytes_of(header).subspan(crc_begins)); }

void encode_changes(const std::vector<SessionChange>& changes, Bytes& into) {
    ByteWriter writer{into};
    writer.number(static_cast<std::uint32_t>(changes.size()));
    for (const auto& change : changes) {
        ANEL_ASSERT(change.client_id.size() <= 255);
        writer.short_text(change.client_id);
        writer.number(static_cast<std::uint8_t>(change.session ? 1 : 0));
        if (change.session) {
            encode_session(*change.session, into);
        }
        writer.number(static_cast<std::uint32_t>(change.each.size()));
        for (const auto sequence : change.each) {
            writer.number(sequence.value);
        }
    }
}

std::optional<std::vector<SessionChange>> decode_changes(BytesView bytes) {
    ByteReader reader{bytes};
    std::vector<SessionChange> changes;
    const auto count = reader.number<std::uint32_t>();
    if (count > reader.left()) {
        return std::nullopt;
    }
    changes.reserve(count);
    for (std::uint32_t index = 0; index < count && reader.ok(); ++index) {
        SessionChange change;
        change.client_id = reader.short_text();
        const auto kept = reader.number<std::uint8_t>();
        if (kept > 1) {
            return std::nullopt;
        }
        if (kept == 1) {
            change.session = decode_session(reader);
        }
        const auto each = reader.number<std::uint32_t>();
        if (each > reader.left() / sizeof(std::uint64_t)) {
            return std::nullopt;
        }
        change.each.reserve(each);
        for (std::uint32_t number = 0; number < each; ++number) {
            change.each.push_back({reader.number<std::uint64_t>()});
        }
        changes.push_back(std::move(change));
    }
    if (!reader.done()) {
        return std::nullopt;
    }
    return changes;
}

}  // namespace

static_assert(sizeof(Session) == 7 * sizeof(std::uint64_t), "a new field of a session is written and read here");

void encode_session(const Session& session, Bytes& into) {
    ByteWriter writer{into};
    for (const auto value : {session.instance.value, session.birth.value, session.last.value, session.sequence.value,
                             session.round.value}) {
        writer.number(value);
    }
    writer.number(session.wall_us);
    writer.number(session.inherited.value);
}

Session decode_session(ByteReader& reader) {
    Session session;
    session.instance.value = reader.number<std::uint64_t>();
    session.birth.value = reader.number<std::uint64_t>();
    session.last.value = reader.number<std::uint64_t>();
    session.sequence.value = reader.number<std::uint64_t>();
    session.round.value = reader.number<std::uint64_t>();
    session.wall_us = reader.number<WallTime>();
    session.inherited.value = reader.number<std::uint64_t>();
    return session;
}

std::size_t padding(const RecordHeader& header) {
    return header.length - record_header_bytes - header.changes_bytes - header.text_bytes;
}

RecordHeader encode_record(const RoundRecord& record, const Position& before, Bytes& into) {
    const std::size_t start = into.size();
    into.resize(start + record_header_bytes);
    encode_changes(record.changes, into);
    const BytesView changes = BytesView{into}.subspan(start + record_header_bytes);
    RecordHeader header;
    header.magic = record_magic;
    header.length = (record_header_bytes + changes.size() + record.text.size() + 7) / 8 * 8;
    header.round = record.round.value;
    header.first = record.first.value;
    header.count = record.count;
    header.wall_us = record.wall_us;
    header.output_offset = before.output_end;
    header.text_bytes = record.text.size();
    header.body_hash = body_hash(changes, record.text);
    header.previous_hash = before.hash;
    header.changes_bytes = static_cast<std::uint32_t>(changes.size());
    header.changes_crc = crc32c(changes);
    header.text_crc = crc32c(as_bytes(record.text));
    header.header_crc = crc_of(header);
    std::memcpy(into.data() + start, &header, sizeof header);
    return header;
}

RecordHeader decode_header(BytesView bytes) {
    ANEL_ASSERT(bytes.size() >= record_header_bytes);
    RecordHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    return header;
}

Position position_after(const RecordHeader& header, const Position& before) {
    return {.slots = before.slots + 1,
            .file_offset = before.file_offset + header.length,
            .round = {header.round},
            .sequence = {header.first + header.count - 1},
            .wall_us = header.wall_us,
            .output_end = header.output_offset + header.text_bytes,
            .hash = hash_of(header)};
}

std::optional<std::string> fault_of(const RecordHeader& header, const Position& before) {
    if (header.magic != record_magic) {
        return "no record stands there";
    }
    if (header.header_crc != crc_of(header)) {
        return "the checksum of its header is wrong";
    }
    if (header.round != before.round.value + 1) {
        return fmt::format("it says round {}, expected {}", header.round, before.round.value + 1);
    }
    if (header.previous_hash != before.hash) {
        return "it does not continue the record before it (hash)";
    }
    if (header.first != before.sequence.value + 1) {
        return fmt::format("it begins with sequence {}, expected {}", header.first, before.sequence.value + 1);
    }
    if (header.output_offset != before.output_end) {
        return fmt::format("it says output offset {}, expected {}", header.output_offset, before.output_end);
    }
    if (header.length > record_bytes_max || header.text_bytes > header.length || header.length % 8 != 0 ||
        record_header_bytes + header.changes_bytes + header.text_bytes > header.length ||
        record_header_bytes + header.changes_bytes + header.text_bytes + 8 <= header.length) {
        return "its lengths contradict each other";
    }
    return std::nullopt;
}

tl::expected<Record, std::string> decode_record(const RecordHeader& header, BytesView bytes) {
    if (bytes.size() < record_header_bytes + header.changes_bytes + header.text_bytes) {
        return tl::unexpected<std::string>{"the file ends before it does"};
    }
    const auto changes = bytes.subspan(record_header_bytes, header.changes_bytes);
    const auto text = bytes.subspan(record_header_bytes + header.changes_bytes, header.text_bytes);
    if (crc32c(changes) != header.changes_crc || crc32c(text) != header.text_crc) {
        return tl::unexpected<std::string>{"the checksum of its content is wrong"};
    }
    if (body_hash(changes, as_text(text)) != header.body_hash) {
        return tl::unexpected<std::string>{"the hash of its content is wrong"};
    }
    auto decoded = decode_changes(changes);
    if (!decoded) {
        return tl::unexpected<std::string>{"its session changes cannot be read"};
    }
    return Record{.header = header, .changes = std::move(*decoded), .text = as_text(text)};
}

}  // namespace anel

#include "ring/ledger/segment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/assert.hpp"
#include "ring/ledger/bytes.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/file_header.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {
namespace {

constexpr std::array<char, 8> segment_magic{'A', 'N', 'E', 'L', 'S', 'E', 'G', '\n'};
constexpr std::uint32_t segment_version =
    2;  // 1 knows one file of output alone, and is written as long as there is one

std::uint32_t crc_of(const SegmentHeader& header) {
    const std::size_t end = header.version == 1 ? offsetof(SegmentHeader, output) : sizeof header;
    return crc32c(bytes_of(header).first(end).subspan(offsetof(SegmentHeader, ledger)));
}

/// What cannot be read is an error, and never the end of the records.
Result<std::size_t> read_record(int fd, std::span<std::byte> into, std::uint64_t offset) {
    if (const auto effect = fail_points::pass("record.read"); effect.error != 0) {
        return io_failure("read a record of the journal", effect.error);
    }
    return read_at(fd, into, offset, "a record of the journal");
}

}  // namespace

Result<BootId> this_boot() {
    const Descriptor fd{::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)};
    BootId boot{};
    const ssize_t got = fd.valid() ? ::read(fd.get(), boot.data(), boot.size() - 1) : -1;
    if (got < 36) {
        return io_failure("read /proc/sys/kernel/random/boot_id", got < 0 ? errno : EIO);
    }
    boot[36] = '\0';
    return boot;
}

Bytes Segment::first_pages(SegmentHeader header) {
    header.magic = segment_magic;
    header.version = header.output.file == 1 ? 1 : segment_version;
    if (header.version == 1) {
        header.output = {};
    }
    header.crc = crc_of(header);
    Bytes pages(records_begin);
    std::memcpy(pages.data() + MappedPage::bytes, &header, sizeof header);
    return pages;
}

Result<std::unique_ptr<Segment>> Segment::open(FileSystem& files, int journal, SegmentNumber number, LedgerId ledger,
                                               const BootId& boot, Access access) {
    const bool write = access == Access::write;
    const std::string name = std::to_string(number.value);
    const std::string what = fmt::format(".anel/journal/{}", name);
    auto fd = open_existing(files, journal, name, write ? O_RDWR : O_RDONLY);
    if (!fd) {
        return forward_error(fd);
    }
    if (!fd->valid()) {
        return nullptr;
    }
    // Opened at the very moment at which it was trimmed: its bytes may go any time (Freeing).
    auto status = status_of(fd->get(), what);
    if (!status) {
        return forward_error(status);
    }
    if (status->st_nlink == 0) {
        return nullptr;
    }
    std::unique_ptr<Segment> segment{new Segment};
    segment->fd_ = std::move(*fd);
    auto found = read_header<SegmentHeader>(segment->fd(), MappedPage::bytes, what);
    if (!found) {
        return forward_error(found);
    }
    auto& header = segment->header_ = *found;
    if (header.magic != segment_magic) {
        return failure(ErrorCode::ledger_damaged,
                       fmt::format("{} is not a segment of a journal: {}", what, way_out::good_copy));
    }
    if (header.version > segment_version) {
        return failure(ErrorCode::unsupported,
                       fmt::format("{} has format version {}, this program knows up to {}: use a newer one", what,
                                   header.version, segment_version));
    }
    if (header.crc != crc_of(header) || header.number != number.value || header.ledger != ledger.value) {
        return failure(ErrorCode::ledger_damaged,
                       fmt::format("the header of {} is damaged or of another ledger: {}", what, way_out::good_copy));
    }
    if (header.version == 1) {
        header.output = {};
    }
    auto words = MappedPage::map(segment->fd(), write, what);
    if (!words) {
        return forward_error(words);
    }
    segment->words_ = std::move(*words);
    segment->foreign_ = header.boot != boot;
    segment->end_ = segment->base();
    return segment;
}

Position Segment::base() const {
    return {.slots = 0,
            .file_offset = records_begin,
            .round = {header_.base_round},
            .sequence = {header_.base_sequence},
            .wall_us = header_.base_wall_us,
            .output_end = header_.base_offset,
            .hash = header_.base_hash};
}

bool Segment::try_decide(std::uint64_t slots) { return words_.exchange(0, slots, slots + 1); }
bool Segment::try_seal(std::uint64_t slots) { return words_.exchange(0, slots, slots | sealed_bit); }

Result<void> Segment::seal() {
    std::optional<std::uint64_t> valid;
    if (foreign_) {
        auto counted = slots();
        if (!counted) {
            return forward_error(counted);
        }
        valid = *counted;
    }
    std::uint64_t seen = word();
    while (seen != (valid.value_or(seen & ~sealed_bit) | sealed_bit)) {
        if (words_.exchange(0, seen, valid.value_or(seen & ~sealed_bit) | sealed_bit)) {
            break;
        }
    }
    return {};
}

void Segment::raise_durable(std::uint64_t slots) { words_.raise(1, slots); }

Result<std::uint64_t> Segment::slots() {
    if (final_slots_) {
        return *final_slots_;
    }
    if (!foreign_) {
        return word() & ~sealed_bit;
    }
    if (!valid_records_) {
        Bytes buffer;
        Position at = end_;
        while (true) {
            auto next = valid_behind(at, buffer);
            if (!next) {
                return forward_error(next);
            }
            if (!*next) {
                break;
            }
            at = position_after(**next, at);
        }
        if (at.slots < durable()) {
            return damaged(at.slots + 1, at.file_offset,
                           fmt::format("{} slots were durable before the restart of the machine", durable()));
        }
        valid_records_ = at.slots;
    }
    return *valid_records_;
}

Result<std::optional<RecordHeader>> Segment::valid_behind(const Position& before, Bytes& buffer) {
    buffer.resize(record_header_bytes);
    auto got = read_record(fd(), buffer, before.file_offset);
    if (!got) {
        return forward_error(got);
    }
    if (*got < record_header_bytes) {
        return std::optional<RecordHeader>{};
    }
    const RecordHeader header = decode_header(buffer);
    if (fault_of(header, before)) {
        return std::optional<RecordHeader>{};
    }
    buffer.resize(header.length);
    got = read_record(fd(), buffer, before.file_offset);
    if (!got) {
        return forward_error(got);
    }
    if (*got < header.length || !decode_record(header, buffer)) {
        return std::optional<RecordHeader>{};
    }
    return std::optional{header};
}

Result<Position> Segment::position_at(std::uint64_t slots) {
    while (end_.slots < slots) {
        std::array<std::byte, record_header_bytes> bytes{};
        auto got = read_record(fd(), bytes, end_.file_offset);
        if (!got) {
            return forward_error(got);
        }
        if (*got < bytes.size()) {
            return damaged(end_.slots + 1, end_.file_offset, "the file ends before it");
        }
        const RecordHeader header = decode_header(bytes);
        if (const auto fault = fault_of(header, end_)) {
            return damaged(end_.slots + 1, end_.file_offset, *fault);
        }
        append(header);
    }
    if (slots == end_.slots) {
        return end_;
    }
    if (slots == 0) {
        return base();
    }
    auto header = header_at(slots);
    if (!header) {
        return forward_error(header);
    }
    Position before;
    before.slots = slots - 1;
    before.file_offset = starts_[slots - 1];
    return position_after(*header, before);
}

Result<RecordHeader> Segment::header_at(std::uint64_t slot) {
    ANEL_ASSERT(slot >= 1);
    ANEL_ASSERT(slot <= starts_.size());
    std::array<std::byte, record_header_bytes> bytes{};
    auto got = read_record(fd(), bytes, starts_[slot - 1]);
    if (!got) {
        return forward_error(got);
    }
    return decode_header(bytes);
}

Result<RecordHeader> Segment::load(std::uint64_t slot, Bytes& buffer) {
    ANEL_ASSERT(slot >= 1);
    auto before = position_at(slot - 1);
    if (!before) {
        return forward_error(before);
    }
    auto after = position_at(slot);
    if (!after) {
        return forward_error(after);
    }
    buffer.resize(after->file_offset - before->file_offset);
    auto got = read_record(fd(), buffer, before->file_offset);
    if (!got) {
        return forward_error(got);
    }
    if (*got < record_header_bytes) {
        return damaged(slot, before->file_offset, "the file ends before it");
    }
    buffer.resize(std::min(*got, buffer.size()));
    const RecordHeader header = decode_header(buffer);
    if (const auto fault = fault_of(header, *before)) {
        return damaged(slot, before->file_offset, *fault);
    }
    return header;
}

Result<Record> Segment::read(std::uint64_t slot, Bytes& buffer) {
    auto header = load(slot, buffer);
    if (!header) {
        return forward_error(header);
    }
    auto record = decode_record(*header, buffer);
    if (!record) {
        return damaged(slot, starts_[slot - 1], record.error());
    }
    return std::move(*record);
}

Result<BytesView> Segment::read_text(std::uint64_t slot, Bytes& buffer) {
    auto header = load(slot, buffer);
    if (!header) {
        return forward_error(header);
    }
    const std::size_t begin = record_header_bytes + header->changes_bytes;
    if (buffer.size() < begin + header->text_bytes) {
        return damaged(slot, starts_[slot - 1], "the file ends before it does");
    }
    return BytesView{buffer}.subspan(begin, header->text_bytes);
}

Result<Record> Segment::next(ReadAhead& ahead) {
    const std::uint64_t slot = end_.slots + 1;
    const std::uint64_t offset = end_.file_offset;
    const ReadAt read = [this](std::span<std::byte> into, std::uint64_t at) { return read_record(fd(), into, at); };
    auto bytes = ahead.get(read, offset, record_header_bytes);
    if (!bytes) {
        return forward_error(bytes);
    }
    if (bytes->size() < record_header_bytes) {
        return damaged(slot, offset, "the file ends before it");
    }
    const RecordHeader header = decode_header(*bytes);
    if (const auto fault = fault_of(header, end_)) {
        return damaged(slot, offset, *fault);
    }
    bytes = ahead.get(read, offset, header.length);
    if (!bytes) {
        return forward_error(bytes);
    }
    auto record = decode_record(header, *bytes);
    if (!record) {
        return damaged(slot, offset, record.error());
    }
    append(header);
    return std::move(*record);
}

void Segment::append(const RecordHeader& header) {
    starts_.push_back(end_.file_offset);
    end_ = position_after(header, end_);
}

tl::unexpected<Error> Segment::damaged(std::uint64_t slot, std::uint64_t offset, std::string_view why) const {
    return failure(
        ErrorCode::ledger_damaged,
        fmt::format("the record of round {} (.anel/journal/{}, slot {}, byte {}) cannot be read back: {}: {}",
                    header_.base_round + slot, header_.number, slot, offset, why, way_out::good_copy));
}

}  // namespace anel

// A numbered piece of the journal: two words that all nodes share, a header that never changes, records.
//
// File: page 0 the mapped words (word 0: sealed bit | decided slots; word 1: durable slots), page 1 the
// header, records behind it. Slot k (from 1) holds round base_round + k.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "ring/ledger/files.hpp"
#include "ring/ledger/output_place.hpp"
#include "ring/ledger/record.hpp"

namespace anel {

/// Names one life of a kernel, as /proc/sys/kernel/random/boot_id says it; zero filled.
using BootId = std::array<char, 40>;
[[nodiscard]] Result<BootId> this_boot();

/// All that a segment says of what is before it. Complete and durable before the segment has its name.
struct SegmentHeader {
    std::array<char, 8> magic{};
    std::uint32_t version = 0;
    std::uint32_t crc = 0;  ///< CRC32C of the header behind this field
    std::uint64_t ledger = 0;
    std::uint64_t number = 0;
    std::uint64_t epoch = 0;
    BootId boot{};
    std::uint64_t previous_slots = 0;  ///< the final count of the segment before
    std::uint64_t base_round = 0;
    std::uint64_t base_sequence = 0;
    std::int64_t base_wall_us = 0;
    std::uint64_t gap_begin = 0;    ///< where the records before end in output.txt, bytes
    std::uint64_t base_offset = 0;  ///< where ours begin; blanks and a line feed between
    std::uint64_t base_hash = 0;    ///< of the last record before
    OutputPlace output;             ///< where the text of its rounds goes; not there in version 1: to file 1
};

enum class Access { read, write };

/// One open segment: a descriptor, a map, and an index of the records walked so far. Not for two threads.
class Segment {
public:
    static constexpr std::uint64_t sealed_bit = std::uint64_t{1} << 63U;
    static constexpr std::uint64_t records_begin = 8192;

    /// None where no file has this name. `ledger_damaged` where its header is wrong, `unsupported` where it is newer.
    [[nodiscard]] static Result<std::unique_ptr<Segment>> open(FileSystem& files, int journal, SegmentNumber number,
                                                               LedgerId ledger, const BootId& boot, Access access);
    /// The first two pages of a new segment.
    [[nodiscard]] static Bytes first_pages(SegmentHeader header);

    [[nodiscard]] SegmentNumber number() const { return {header_.number}; }
    [[nodiscard]] Epoch epoch() const { return {header_.epoch}; }
    [[nodiscard]] Round base_round() const { return {header_.base_round}; }
    [[nodiscard]] const SegmentHeader& header() const { return header_; }
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Made under another boot: its words are not to be trusted, its valid records are.
    [[nodiscard]] bool foreign() const { return foreign_; }

    [[nodiscard]] std::uint64_t word() const { return words_.load(0); }
    [[nodiscard]] bool sealed() const { return (word() & sealed_bit) != 0; }
    [[nodiscard]] std::uint64_t durable() const { return words_.load(1); }
    /// From `slots` to one more, unless sealed or somebody was first.
    [[nodiscard]] bool try_decide(std::uint64_t slots);
    /// Seals only if `slots` are decided and it is not sealed yet.
    [[nodiscard]] bool try_seal(std::uint64_t slots);
    /// Seals, whatever was decided. A foreign segment gets the count of its valid records.
    [[nodiscard]] Result<void> seal();
    void raise_durable(std::uint64_t slots);

    /// The successor's header says how many slots are decided for ever, or an adoption behind which nothing was yet.
    void set_final_slots(std::uint64_t slots) { final_slots_ = slots; }
    [[nodiscard]] std::optional<std::uint64_t> final_slots() const { return final_slots_; }
    /// Decided slots now: what is final, or the word, or (foreign) the valid records in hash order,
    /// which may not be fewer than the durable ones.
    [[nodiscard]] Result<std::uint64_t> slots();

    /// The position behind `slots` decided ones; reads the headers not read before. `ledger_damaged`.
    [[nodiscard]] Result<Position> position_at(std::uint64_t slots);
    [[nodiscard]] Result<RecordHeader> header_at(std::uint64_t slot);
    /// Reads slot 1.. whole and checks it. The record points into `buffer`. `ledger_damaged`.
    [[nodiscard]] Result<Record> read(std::uint64_t slot, Bytes& buffer);
    /// Reads the text of slot 1.. alone, without a check of its checksum. It points into `buffer`. `ledger_damaged`.
    [[nodiscard]] Result<BytesView> read_text(std::uint64_t slot, Bytes& buffer);
    /// Reads the record behind the last one walked, whole, as read() does. It points into `ahead`.
    [[nodiscard]] Result<Record> next(ReadAhead& ahead);
    /// Tells the index of a record that this process wrote and decided behind the last one walked.
    void append(const RecordHeader& header);
    /// `ledger_damaged`, of the record in this slot, which begins at this byte of the file.
    [[nodiscard]] tl::unexpected<Error> damaged(std::uint64_t slot, std::uint64_t offset, std::string_view why) const;

private:
    Segment() = default;
    [[nodiscard]] Position base() const;
    /// Reads slot 1.. into `buffer`, which is shorter where the file ends. The header alone is checked.
    [[nodiscard]] Result<RecordHeader> load(std::uint64_t slot, Bytes& buffer);
    /// The valid record behind `before`, none where there is none.
    [[nodiscard]] Result<std::optional<RecordHeader>> valid_behind(const Position& before, Bytes& buffer);

    Descriptor fd_;
    MappedPage words_;
    SegmentHeader header_;
    bool foreign_ = false;
    std::optional<std::uint64_t> final_slots_;
    std::optional<std::uint64_t> valid_records_;  ///< counted once, for a foreign one
    std::vector<std::uint64_t> starts_;           ///< file offsets of the slots walked
    Position end_;                                ///< behind the last slot walked
};

}  // namespace anel

// A folder on which ledgers live and fail, with the checker's book about it, and what has to hold when one recovers.
#pragma once

#include "tests/unit/ledger/book.hpp"
#include "tests/unit/ledger/volume_record.hpp"
#include "tests/unit/ledger/world.hpp"

namespace anel::test {

struct Site {
    std::filesystem::path folder;
    Book book;
    char boot_name = 'A';  ///< of the machine as it runs now
};

[[nodiscard]] LedgerOptions options_of(const Site& site, std::uint64_t self, FileSystem& files);
/// What the ledger calls durable is told to the record.
[[nodiscard]] LedgerOptions options_of(const Site& site, std::uint64_t self, VolumeRecord& record);

/// Record, decide, output; each kept in the book.
[[nodiscard]] Result<void> add_round(FileLedger& ledger, SegmentNumber segment, const RoundRecord& round, Book& book,
                                     const VolumeRecord& record);

/// A node recovers what others left, is granted an epoch, adds rounds that become durable, and writes a checkpoint.
/// Everything up to round `vouched` must be there; what was decided within `events` events is not another one now.
void recover(Site& site, std::uint64_t vouched, std::size_t events, FileSystem& files);
void recover(Site& site, std::uint64_t vouched, std::size_t events, VolumeRecord& record);
/// The machine starts again, and nothing is lost.
void reboot_and_audit(Site& site);

/// Keeps the inodes of output files and ledgers, so that an image of a disk can have the same.
class Stash {
public:
    /// Other names for the files of a data folder and its .anel/ledger, in a folder of their own.
    [[nodiscard]] std::filesystem::path keep(const std::filesystem::path& folder);

private:
    Folder folder_;
    std::size_t count_ = 0;
};

}  // namespace anel::test

// What a disk may hold after a power cut: all that a finished sync covers, and of the rest anything.
//
// Of a sector of 512 bytes any state since the last sync of its file, and the same of a mapped word, of the size of the
// file, and of a name in a folder; each independent of all others. No real file system loses so much.
#pragma once

#include <filesystem>
#include <functional>

#include "tests/unit/common/seed.hpp"
#include "tests/unit/ledger/volume_record.hpp"

namespace anel::test {

/// Folders and files by their path below the data folder.
struct Entry {
    std::optional<Bytes> bytes;  ///< none: a folder
    ino_t inode = 0;             ///< of the file that was recorded
};
using Image = std::map<std::string, Entry>;

class PowerCut {
public:
    /// Something that is not certain.
    struct Doubt {
        enum class Kind { sector, word, size, name };
        Kind kind = Kind::sector;
        FileIndex file = 0;       ///< or folder
        std::uint64_t place = 0;  ///< of the sector or word, bytes
        std::string name;
        std::vector<std::size_t> changes;  ///< the events that changed it; state k is behind the k-th of them
        std::vector<std::uint64_t> sizes;  ///< that each of them led to (size)
    };
    /// For each doubt the number of changes that the disk has.
    using Outcome = std::vector<std::size_t>;

    /// The power goes behind the first `events` events.
    PowerCut(const VolumeRecord& record, std::size_t events);
    [[nodiscard]] const std::vector<Doubt>& doubts() const { return doubts_; }
    [[nodiscard]] Image image(const Outcome& outcome) const;

    /// All outcomes where there are few. Else the oldest, the newest, each change in the order they came, some doubts
    /// alone and all but some, and `samples` at random.
    void for_each_outcome(anel::testing::Dice& dice, std::size_t samples,
                          const std::function<void(const Outcome&)>& each) const;

private:
    struct State {
        Bytes bytes;                             ///< certain
        std::map<std::string, FileIndex> names;  ///< certain, of a folder
        std::vector<std::size_t> writes;
        std::vector<std::size_t> doubts;
    };
    /// For each event, whether a sync covers it. What was written to a sector before a certain write is certain too.
    [[nodiscard]] std::vector<bool> certain() const;
    void take_names(const std::vector<bool>& certain);
    void take_writes(FileIndex file, const std::vector<bool>& certain);
    void take_size(FileIndex file, std::uint64_t reached);
    void drop_unnamed();
    std::size_t& doubt(FileIndex file, Doubt::Kind kind, std::uint64_t place, const std::string& name);
    [[nodiscard]] Bytes content(FileIndex file, const Outcome& outcome) const;
    void place(FileIndex folder, const std::string& path, const Outcome& outcome, Image& image) const;

    const VolumeRecord& record_;
    std::size_t events_;
    std::vector<State> states_;
    std::vector<Doubt> doubts_;
};

/// The same for equal images.
[[nodiscard]] std::size_t hash_of(const Image& image);
[[nodiscard]] std::string describe(const PowerCut::Outcome& outcome);

/// Makes a folder be this image. A ledger knows its output.txt and its .anel/ledger by their inodes, so the files that a
/// stash kept are used again.
/// @param stash  a folder where they stand under the numbers of their inodes
void materialise(const Image& image, const std::filesystem::path& folder, const std::filesystem::path& stash);

}  // namespace anel::test

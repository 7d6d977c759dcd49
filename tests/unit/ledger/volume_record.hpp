// Everything that a ledger does to its folder, in order, so that a power cut can be played at any point of it.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ring/ledger/files.hpp"

namespace anel::test {

/// A disk that is always quick and never full. Nothing has to be durable for a test that cuts the power itself.
class QuickDisk : public FileSystem {
public:
    int reserve(int, off_t, off_t) override { return 0; }
    int fdatasync(int) override { return 0; }
    int fsync(int) override { return 0; }
};

using FileIndex = std::size_t;  ///< of a file or folder, in the order in which they were made; 0: the data folder

struct Written {
    FileIndex file = 0;
    std::uint64_t offset = 0;
    Bytes bytes;
    bool mapped = false;  ///< a word that was stored through a map
};
/// A name came, or went.
struct Named {
    FileIndex folder = 0;
    std::string name;
    std::optional<FileIndex> file;
    std::string from;  ///< the name in the same folder that went at the same moment; empty: none
};
/// A sync ended. It returned 0: what happened to the file before event `from` is on the disk for ever. It failed: of
/// what was written and not on the disk then nobody knows, and a later sync says nothing about it.
struct Synced {
    FileIndex file = 0;
    std::size_t from = 0;
    bool failed = false;
};
/// Somebody was told that all rounds up to here are durable.
struct Vouched {
    std::uint64_t round = 0;
};
using Event = std::variant<Written, Named, Synced, Vouched>;

/// Every call that changes something or makes it durable, by kind.
enum class Call { open, make_folder, write, reserve, sync, link, unlink, rename };

/// One of the calls fails.
struct Fault {
    enum class How {
        once,     ///< this call alone
        lasting,  ///< and all of its kind from then on, until heal()
        half      ///< a write comes half, and the next write fails
    };
    std::size_t call = 0;
    int error = 0;
    How how = How::once;
};

/// The calls of any number of ledgers on one folder. Stores through maps are found by looking at the first page of each
/// file whenever something else happens. Reserved space is not recorded: it shows in no byte and no size.
class VolumeRecord final : public QuickDisk {
public:
    struct File {
        bool folder = false;
        std::string path;  ///< below the data folder; empty: it never had a name
        Bytes start;       ///< what the disk held when the record began
        std::map<std::string, FileIndex> start_names;
        Bytes now;
        Descriptor fd;  ///< keeps the inode from being used again
    };

    /// What is in the folder already counts as durable.
    explicit VolumeRecord(const std::filesystem::path& folder);

    int open(int folder, const char* name, int flags, mode_t mode) override;
    int make_folder(int folder, const char* name, mode_t mode) override;
    ssize_t write(int fd, const iovec* pieces, int count, off_t offset) override;
    int reserve(int fd, off_t offset, off_t bytes) override;
    int fdatasync(int fd) override { return sync(fd); }
    int fsync(int fd) override { return sync(fd); }
    int link(int fd, int folder, const char* name) override;
    int unlink(int folder, const char* name) override;
    int rename(int folder, const char* from, const char* name) override;

    void vouch(std::uint64_t round);
    /// The next sync of this file does not return before release(); wait_held() returns when it has begun.
    void hold(std::string path);
    void wait_held();
    void release();

    void fail(const Fault& fault);
    void heal();
    /// The kind of each call so far.
    [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }
    /// A descriptor was synced again after that had failed.
    [[nodiscard]] bool synced_again() const { return synced_again_; }

    /// How many events there are by now.
    [[nodiscard]] std::size_t now() const;
    /// For when all is quiet.
    [[nodiscard]] const std::vector<Event>& events() const { return events_; }
    [[nodiscard]] const std::vector<File>& files() const { return files_; }
    /// All rounds up to here were vouched for within the first `events` events: by a callback, by the durable word of a
    /// segment, or by a successor, which says that the segment before it is durable.
    [[nodiscard]] std::uint64_t vouched(std::size_t events) const;

private:
    enum class Hold { none, wanted, held };
    int sync(int fd);
    /// Counts the call; true: it has to fail, and errno says how.
    bool fails(Call call);
    FileIndex add(int fd, bool folder, std::string path);
    FileIndex index_of(int fd) const;
    void scan(FileIndex folder);
    void look();
    void name(int folder, const char* name, std::optional<FileIndex> file, std::string from = {});
    [[nodiscard]] std::optional<std::uint64_t> base_round(const File& file) const;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Event> events_;
    std::vector<File> files_;
    std::map<ino_t, FileIndex> by_inode_;
    Hold hold_ = Hold::none;
    std::string hold_path_;
    std::vector<Call> calls_;
    std::optional<Fault> fault_;
    std::set<std::pair<int, FileIndex>> failed_;  ///< descriptors whose sync failed
    bool synced_again_ = false;
};

}  // namespace anel::test

// The system calls the ledger makes, behind one small class, and what every room needs around them.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/blob.hpp"
#include "common/descriptor.hpp"
#include "common/result.hpp"

namespace anel {

/// The calls that change the volume or make it durable. This class makes them; a test derives from it to record
/// them, to end the process at any of them, or to let them fail. All report through errno.
class FileSystem {
public:
    FileSystem() = default;
    FileSystem(const FileSystem&) = delete;
    FileSystem& operator=(const FileSystem&) = delete;
    virtual ~FileSystem() = default;
    virtual int open(int folder, const char* name, int flags, mode_t mode);
    virtual int make_folder(int folder, const char* name, mode_t mode);
    virtual ssize_t write(int fd, const iovec* pieces, int count, off_t offset);
    virtual int reserve(int fd, off_t offset, off_t bytes);  ///< FALLOC_FL_KEEP_SIZE
    virtual int fdatasync(int fd);
    virtual int fsync(int fd);
    /// Lets the kernel begin to write these bytes to the disk. It promises nothing, and hides no error from fdatasync.
    virtual void start_write_back(int fd, off_t offset, off_t bytes);
    virtual int link(int fd, int folder, const char* name);  ///< gives an O_TMPFILE its name
    virtual int unlink(int folder, const char* name);
    virtual int shorten(int fd, off_t bytes);  ///< of a file that has no name any more
    /// Within one folder. The file that had the name loses it.
    virtual int rename(int folder, const char* from, const char* name);
    virtual int sync_all(int fd);  ///< syncfs: everything on the file system of `fd`
    /// Whether nobody else has this file open or mapped, in any process. False, too, where that cannot be told.
    virtual bool has_alone(int fd);
};

/// A page mapped MAP_SHARED from the start of a file: 64-bit words that all processes on this kernel share.
class MappedPage {
public:
    static constexpr std::size_t bytes = 4096;
    MappedPage() = default;
    MappedPage(MappedPage&& other) noexcept : words_{std::exchange(other.words_, nullptr)} {}
    MappedPage& operator=(MappedPage&& other) noexcept {
        std::swap(words_, other.words_);
        return *this;
    }
    ~MappedPage();
    /// @param writable  false: stores would crash.   `io_failed` when it cannot be mapped.
    [[nodiscard]] static Result<MappedPage> map(int fd, bool writable, std::string_view what);
    [[nodiscard]] std::uint64_t load(std::size_t word) const;
    void store(std::size_t word, std::uint64_t value);
    /// Compare-and-set; `expected` gets what stood there when it fails.
    [[nodiscard]] bool exchange(std::size_t word, std::uint64_t& expected, std::uint64_t wanted);
    /// To `value`, unless it is that high already.
    void raise(std::size_t word, std::uint64_t value);

private:
    std::uint64_t* words_ = nullptr;
};

/// "cannot WHAT: strerror", with `disk_full` for ENOSPC and EDQUOT, else `io_failed`.
[[nodiscard]] tl::unexpected<Error> io_failure(std::string_view what, int error);
[[nodiscard]] tl::unexpected<Error> sync_failure(std::string_view what, int error);

template <class T>
[[nodiscard]] tl::unexpected<Error> forward_error(Result<T>& failed) {
    return tl::unexpected<Error>{std::move(failed.error())};
}

/// Writes all pieces at `offset`, however short the single writes are.
/// @param point  fail point passed before the write
[[nodiscard]] Result<void> write_all(FileSystem& files, int fd, std::initializer_list<BytesView> pieces,
                                     std::uint64_t offset, std::string_view point, std::string_view what);

/// Reads until `into` is full or the file ends; returns the bytes read. A read error is never a short read.
[[nodiscard]] Result<std::size_t> read_at(int fd, std::span<std::byte> into, std::uint64_t offset,
                                          std::string_view what);

/// As read_at, of whatever it is that has bytes at offsets.
using ReadAt = std::function<Result<std::size_t>(std::span<std::byte>, std::uint64_t)>;

/// Reads a file in large pieces for one who goes through it in small ones.
class ReadAhead {
public:
    /// The bytes from `offset` on, fewer where the file ends. Valid until the next call.
    [[nodiscard]] Result<BytesView> get(const ReadAt& read, std::uint64_t offset, std::uint64_t bytes);
    /// What the file has now counts, not what it had when it was read.
    void forget() { filled_ = 0; }

private:
    Bytes buffer_;
    std::uint64_t begin_ = 0;
    std::size_t filled_ = 0;
};

[[nodiscard]] Result<struct stat> status_of(int fd, std::string_view what);

/// Opens an existing file; an invalid descriptor when there is none of that name.
[[nodiscard]] Result<Descriptor> open_existing(FileSystem& files, int folder, const std::string& name, int flags);

/// A new file without a name, beside others of `folder`. It is gone when closed before link_file.
[[nodiscard]] Result<Descriptor> open_unnamed(FileSystem& files, int folder, std::string_view what);

/// Gives an open file a name: one that had none, whose content must have been fsynced, or one more. False: it is taken.
[[nodiscard]] Result<bool> link_file(FileSystem& files, int fd, int folder, const std::string& name);

/// Whether something has this name now.
[[nodiscard]] Result<bool> is_named(int folder, const std::string& name);

/// What has this name now, if it is the file or folder with this inode; none where that was removed or replaced.
[[nodiscard]] std::optional<struct stat> status_if_same(int folder, const char* name, std::uint64_t inode);

[[nodiscard]] Result<void> fsync_folder(FileSystem& files, int folder, std::string_view what);

[[nodiscard]] Result<std::vector<std::string>> list_names(int folder, std::string_view what);
/// The numbers that are names in a folder, ascending; other names are not ours and passed over.
[[nodiscard]] Result<std::vector<std::uint64_t>> list_numbers(int folder, std::string_view what);

/// Reserves space in a file ahead of what is written, in chunks. One process's memory of it; reserving again is harmless.
class Reservation {
public:
    /// Makes sure that bytes up to `end` can be written without ENOSPC. `disk_full`, `io_failed`.
    [[nodiscard]] Result<void> ensure(FileSystem& files, int fd, std::uint64_t from, std::uint64_t end,
                                      std::string_view point, std::string_view what);

private:
    std::uint64_t end_ = 0;
};

}  // namespace anel

#include "ring/ledger/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "common/assert.hpp"
#include "ring/ledger/fail_points.hpp"

namespace anel {

int FileSystem::open(int folder, const char* name, int flags, mode_t mode) {
    return ::openat(folder, name, flags, mode);
}
int FileSystem::make_folder(int folder, const char* name, mode_t mode) { return ::mkdirat(folder, name, mode); }
ssize_t FileSystem::write(int fd, const iovec* pieces, int count, off_t offset) {
    return ::pwritev(fd, pieces, count, offset);
}
int FileSystem::reserve(int fd, off_t offset, off_t bytes) {
    return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, bytes);
}
int FileSystem::fdatasync(int fd) { return ::fdatasync(fd); }
int FileSystem::fsync(int fd) { return ::fsync(fd); }
void FileSystem::start_write_back(int fd, off_t offset, off_t bytes) {
    // Where it does not work, a sync has more to do.
    static_cast<void>(::sync_file_range(fd, offset, bytes, SYNC_FILE_RANGE_WRITE));
}
int FileSystem::link(int fd, int folder, const char* name) {
    // AT_EMPTY_PATH would need a capability; /proc needs none.
    return ::linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd).c_str(), folder, name, AT_SYMLINK_FOLLOW);
}
int FileSystem::unlink(int folder, const char* name) { return ::unlinkat(folder, name, 0); }
int FileSystem::rename(int folder, const char* from, const char* name) {
    return ::renameat(folder, from, folder, name);
}
int FileSystem::shorten(int fd, off_t bytes) { return ::ftruncate(fd, bytes); }
int FileSystem::sync_all(int fd) { return ::syncfs(fd); }
bool FileSystem::has_alone(int fd) {
    // The kernel gives the lease of a file to the only one who has it. It is not kept; whoever opens the file in between
    // makes the kernel send a signal: SIGURG, which does nothing, in place of SIGIO, which ends the process.
    if (::fcntl(fd, F_SETSIG, SIGURG) != 0 || ::fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
        return false;
    }
    static_cast<void>(::fcntl(fd, F_SETLEASE, F_UNLCK));
    return true;
}

MappedPage::~MappedPage() {
    if (words_ != nullptr) {
        ::munmap(words_, bytes);
    }
}

Result<MappedPage> MappedPage::map(int fd, bool writable, std::string_view what) {
    void* at = ::mmap(nullptr, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        return io_failure(fmt::format("map {} for all processes", what), errno);
    }
    MappedPage page;
    page.words_ = static_cast<std::uint64_t*>(at);
    return page;
}
std::uint64_t MappedPage::load(std::size_t word) const {
    return std::atomic_ref{words_[word]}.load(std::memory_order_acquire);
}
void MappedPage::store(std::size_t word, std::uint64_t value) {
    std::atomic_ref{words_[word]}.store(value, std::memory_order_seq_cst);
}
bool MappedPage::exchange(std::size_t word, std::uint64_t& expected, std::uint64_t wanted) {
    return std::atomic_ref{words_[word]}.compare_exchange_strong(expected, wanted, std::memory_order_seq_cst);
}

void MappedPage::raise(std::size_t word, std::uint64_t value) {
    std::uint64_t seen = load(word);
    while (seen < value && !exchange(word, seen, value)) {
    }
}

tl::unexpected<Error> io_failure(std::string_view what, int error) {
    const auto code = error == ENOSPC || error == EDQUOT ? ErrorCode::disk_full : ErrorCode::io_failed;
    return failure(code, fmt::format("cannot {}: {}", what, std::strerror(error)));
}
tl::unexpected<Error> sync_failure(std::string_view what, int error) {
    return failure(ErrorCode::sync_failed,
                   fmt::format("cannot make {} durable: {}; what was written may be lost, this node stops", what,
                               std::strerror(error)));
}

Result<void> write_all(FileSystem& files, int fd, std::initializer_list<BytesView> pieces, std::uint64_t offset,
                       std::string_view point, std::string_view what) {
    std::array<iovec, 4> vectors{};
    ANEL_ASSERT(pieces.size() <= vectors.size());
    std::size_t count = 0;
    std::size_t left = 0;
    for (const auto piece : pieces) {
        if (!piece.empty()) {
            vectors[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
            left += piece.size();
        }
    }
    const auto effect = fail_points::pass(point);
    if (effect.error != 0) {
        return io_failure(fmt::format("write {}", what), effect.error);
    }
    std::size_t first = 0;
    bool shorten = effect.shorten && left > 1;
    while (left > 0) {
        iovec cut = vectors[first];
        cut.iov_len = (cut.iov_len + 1) / 2;
        const iovec* from = shorten ? &cut : &vectors[first];
        const int number = shorten ? 1 : static_cast<int>(count - first);
        shorten = false;
        const ssize_t written = files.write(fd, from, number, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return io_failure(fmt::format("write {}", what), written < 0 ? errno : EIO);
        }
        auto done = static_cast<std::size_t>(written);
        offset += done;
        left -= done;
        while (done > 0) {
            const std::size_t here = std::min(done, vectors[first].iov_len);
            vectors[first].iov_base = static_cast<std::byte*>(vectors[first].iov_base) + here;
            vectors[first].iov_len -= here;
            done -= here;
            first += vectors[first].iov_len == 0 ? 1 : 0;
        }
    }
    return {};
}

Result<std::size_t> read_at(int fd, std::span<std::byte> into, std::uint64_t offset, std::string_view what) {
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t got = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return io_failure(fmt::format("read {}", what), errno);
        }
        if (got == 0) {
            break;
        }
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<BytesView> ReadAhead::get(const ReadAt& read, std::uint64_t offset, std::uint64_t bytes) {
    constexpr std::uint64_t piece_bytes = 1024 * 1024;
    if (offset < begin_ || offset + bytes > begin_ + filled_) {
        buffer_.resize(std::max(bytes, piece_bytes));
        begin_ = offset;
        filled_ = 0;
        auto got = read(buffer_, offset);
        if (!got) {
            return forward_error(got);
        }
        filled_ = *got;
    }
    return BytesView{buffer_}.first(filled_).subspan(offset - begin_).first(std::min(bytes, begin_ + filled_ - offset));
}

Result<struct stat> status_of(int fd, std::string_view what) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        return io_failure(fmt::format("look at {}", what), errno);
    }
    return status;
}

Result<Descriptor> open_existing(FileSystem& files, int folder, const std::string& name, int flags) {
    const int fd = files.open(folder, name.c_str(), flags | O_CLOEXEC, 0);
    if (fd < 0 && errno != ENOENT) {
        return io_failure(fmt::format("open {}", name), errno);
    }
    return Descriptor{fd};
}

Result<Descriptor> open_unnamed(FileSystem& files, int folder, std::string_view what) {
    const int fd = files.open(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0) {
        return io_failure(fmt::format("make {}", what), errno);
    }
    return Descriptor{fd};
}

Result<bool> link_file(FileSystem& files, int fd, int folder, const std::string& name) {
    if (files.link(fd, folder, name.c_str()) == 0) {
        return true;
    }
    if (errno == EEXIST) {
        return false;
    }
    return io_failure(fmt::format("name {}", name), errno);
}

Result<bool> is_named(int folder, const std::string& name) {
    struct stat status {};
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
        return true;
    }
    if (errno == ENOENT) {
        return false;
    }
    return io_failure(fmt::format("look for {}", name), errno);
}

std::optional<struct stat> status_if_same(int folder, const char* name, std::uint64_t inode) {
    struct stat status {};
    if (::fstatat(folder, name, &status, 0) != 0 || status.st_ino != inode) {
        return std::nullopt;
    }
    return status;
}

Result<void> fsync_folder(FileSystem& files, int folder, std::string_view what) {
    const auto effect = fail_points::pass("folder.sync");
    errno = effect.error;
    if (effect.error != 0 || files.fsync(folder) != 0) {
        return sync_failure(what, errno);
    }
    return {};
}

Result<std::vector<std::string>> list_names(int folder, std::string_view what) {
    const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* listing = fd < 0 ? nullptr : ::fdopendir(fd);
    if (listing == nullptr) {
        return io_failure(fmt::format("list {}", what), errno);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(listing)) {
        names.emplace_back(entry->d_name);
    }
    const int problem = errno;
    ::closedir(listing);
    if (problem != 0) {
        return io_failure(fmt::format("list {}", what), problem);
    }
    return names;
}

Result<std::vector<std::uint64_t>> list_numbers(int folder, std::string_view what) {
    auto names = list_names(folder, what);
    if (!names) {
        return forward_error(names);
    }
    std::vector<std::uint64_t> numbers;
    for (const auto& name : *names) {
        std::uint64_t number = 0;
        const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (problem == std::errc{} && end == name.data() + name.size() && name == std::to_string(number)) {
            numbers.push_back(number);
        }
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

Result<void> Reservation::ensure(FileSystem& files, int fd, std::uint64_t from, std::uint64_t end,
                                 std::string_view point, std::string_view what) {
    if (end <= end_) {
        return {};
    }
    // Small at first, so that short segments stay small.
    const std::uint64_t chunk = std::clamp<std::uint64_t>(end, 256 * 1024, 4 * 1024 * 1024);
    from = std::max(from, end_);
    for (const std::uint64_t wanted : {end + chunk, end}) {
        const auto effect = fail_points::pass(point);
        int result = 0;
        do {
            errno = effect.error;
            result =
                effect.error != 0 ? -1 : files.reserve(fd, static_cast<off_t>(from), static_cast<off_t>(wanted - from));
        } while (result != 0 && errno == EINTR);
        if (result == 0) {
            end_ = wanted;
            return {};
        }
        if (errno != ENOSPC && errno != EDQUOT) {
            break;
        }
    }
    return io_failure(fmt::format("reserve space for {}", what), errno);
}

}  // namespace anel

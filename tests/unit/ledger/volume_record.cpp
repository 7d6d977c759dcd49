#include "tests/unit/ledger/volume_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/assert.hpp"
#include "common/result.hpp"
#include "ring/ledger/segment.hpp"

namespace anel::test {
namespace {

ino_t inode_of(int fd) {
    struct stat status {};
    ANEL_ASSERT(::fstat(fd, &status) == 0);
    return status.st_ino;
}
Bytes content_of(int fd) {
    struct stat status {};
    ANEL_ASSERT(::fstat(fd, &status) == 0);
    Bytes bytes(static_cast<std::size_t>(status.st_size));
    ANEL_ASSERT(::pread(fd, bytes.data(), bytes.size(), 0) == status.st_size);
    return bytes;
}
void put(Bytes& into, std::uint64_t offset, BytesView bytes) {
    into.resize(std::max<std::size_t>(into.size(), offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), into.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

VolumeRecord::VolumeRecord(const std::filesystem::path& folder) {
    const Descriptor fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    scan(add(fd.get(), true, ""));
}

void VolumeRecord::scan(FileIndex folder) {
    const int parent = files_[folder].fd.get();
    const auto path = files_[folder].path;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd/" + std::to_string(parent)}) {
        const std::string name = entry.path().filename().string();
        const bool is_folder = entry.is_directory();
        const Descriptor fd{::openat(parent, name.c_str(), O_RDONLY | O_CLOEXEC)};
        const auto known = by_inode_.find(inode_of(fd.get()));  // a finished output may still be output.txt, too
        const bool is_new = known == by_inode_.end();
        const auto file = is_new ? add(fd.get(), is_folder, path.empty() ? name : path + "/" + name) : known->second;
        files_[folder].start_names.emplace(name, file);
        if (is_folder) {
            scan(file);
        } else if (is_new) {
            files_[file].start = files_[file].now = content_of(fd.get());
        }
    }
}

FileIndex VolumeRecord::add(int fd, bool folder, std::string path) {
    File file;
    file.folder = folder;
    file.path = std::move(path);
    file.fd = Descriptor{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    ANEL_ASSERT(file.fd.valid());
    by_inode_[inode_of(fd)] = files_.size();
    files_.push_back(std::move(file));
    return files_.size() - 1;
}

FileIndex VolumeRecord::index_of(int fd) const { return by_inode_.at(inode_of(fd)); }

void VolumeRecord::look() {
    for (FileIndex index = 0; index < files_.size(); ++index) {
        File& file = files_[index];
        std::array<std::byte, MappedPage::bytes> page{};
        if (file.folder || file.now.size() < page.size()) {
            continue;
        }
        ANEL_ASSERT(::pread(file.fd.get(), page.data(), page.size(), 0) == static_cast<ssize_t>(page.size()));
        for (std::size_t at = 0; at < page.size(); at += sizeof(std::uint64_t)) {
            if (std::memcmp(page.data() + at, file.now.data() + at, sizeof(std::uint64_t)) != 0) {
                const BytesView word{page.data() + at, sizeof(std::uint64_t)};
                put(file.now, at, word);
                events_.emplace_back(Written{index, at, {word.begin(), word.end()}, true});
            }
        }
    }
}

int VolumeRecord::open(int folder, const char* name, int flags, mode_t mode) {
    const std::scoped_lock guard{mutex_};
    look();
    const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
    if (unnamed && fails(Call::open)) {
        return -1;
    }
    const int fd = QuickDisk::open(folder, name, flags, mode);
    if (fd >= 0 && unnamed) {
        add(fd, false, "");
    }
    return fd;
}

int VolumeRecord::make_folder(int folder, const char* name, mode_t mode) {
    const std::scoped_lock guard{mutex_};
    look();
    if (fails(Call::make_folder)) {
        return -1;
    }
    const int result = QuickDisk::make_folder(folder, name, mode);
    if (result == 0) {
        const Descriptor fd{::openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        this->name(folder, name, add(fd.get(), true, ""));
    }
    return result;
}

ssize_t VolumeRecord::write(int fd, const iovec* pieces, int count, off_t offset) {
    const std::scoped_lock guard{mutex_};
    look();
    if (fails(Call::write)) {
        return -1;
    }
    Bytes bytes;
    for (int piece = 0; piece < count; ++piece) {
        const auto* begin = static_cast<const std::byte*>(pieces[piece].iov_base);
        bytes.insert(bytes.end(), begin, begin + pieces[piece].iov_len);
    }
    if (fault_ && fault_->how == Fault::How::half && calls_.size() == fault_->call + 1) {
        bytes.resize((bytes.size() + 1) / 2);
    }
    const iovec all{bytes.data(), bytes.size()};
    ANEL_ASSERT(QuickDisk::write(fd, &all, 1, offset) == static_cast<ssize_t>(bytes.size()));
    const auto file = index_of(fd);
    put(files_[file].now, static_cast<std::uint64_t>(offset), bytes);
    events_.emplace_back(Written{file, static_cast<std::uint64_t>(offset), bytes, false});
    return static_cast<ssize_t>(bytes.size());
}

int VolumeRecord::reserve(int, off_t, off_t) {
    const std::scoped_lock guard{mutex_};
    return fails(Call::reserve) ? -1 : 0;
}

int VolumeRecord::sync(int fd) {
    std::unique_lock lock{mutex_};
    look();
    const auto file = index_of(fd);
    const std::size_t from = events_.size();
    synced_again_ = synced_again_ || failed_.contains({fd, file});
    if (fails(Call::sync)) {
        failed_.emplace(fd, file);
        events_.emplace_back(Synced{file, from, true});
        return -1;
    }
    if (hold_ == Hold::wanted && files_[file].path == hold_path_) {
        hold_ = Hold::held;
        changed_.notify_all();
        changed_.wait(lock, [this] { return hold_ == Hold::none; });
    }
    look();
    events_.emplace_back(Synced{file, from, false});
    return 0;
}

bool VolumeRecord::fails(Call call) {
    const std::size_t number = calls_.size();
    calls_.push_back(call);
    if (!fault_ || number < fault_->call) {
        return false;
    }
    bool now = number == fault_->call && fault_->how != Fault::How::half;
    if (number > fault_->call && calls_[fault_->call] == call) {
        now = fault_->how != Fault::How::once;
    }
    if (now) {
        errno = fault_->error;
        if (fault_->how == Fault::How::half) {
            fault_.reset();
        }
    }
    return now;
}

void VolumeRecord::fail(const Fault& fault) {
    const std::scoped_lock guard{mutex_};
    fault_ = fault;
}
void VolumeRecord::heal() {
    const std::scoped_lock guard{mutex_};
    fault_.reset();
}

int VolumeRecord::link(int fd, int folder, const char* name) {
    const std::scoped_lock guard{mutex_};
    look();
    if (fails(Call::link)) {
        return -1;
    }
    const int result = QuickDisk::link(fd, folder, name);
    if (result == 0) {
        this->name(folder, name, index_of(fd));
    }
    return result;
}

int VolumeRecord::unlink(int folder, const char* name) {
    const std::scoped_lock guard{mutex_};
    look();
    if (fails(Call::unlink)) {
        return -1;
    }
    const int result = QuickDisk::unlink(folder, name);
    if (result == 0) {
        this->name(folder, name, std::nullopt);
    }
    return result;
}

int VolumeRecord::rename(int folder, const char* from, const char* name) {
    const std::scoped_lock guard{mutex_};
    look();
    if (fails(Call::rename)) {
        return -1;
    }
    const Descriptor fd{::openat(folder, from, O_RDONLY | O_CLOEXEC)};
    const int result = QuickDisk::rename(folder, from, name);
    if (result == 0) {
        this->name(folder, name, index_of(fd.get()), from);
    }
    return result;
}

void VolumeRecord::name(int folder, const char* name, std::optional<FileIndex> file, std::string from) {
    const auto parent = index_of(folder);
    if (file) {
        const auto& path = files_[parent].path;
        files_[*file].path = path.empty() ? name : path + "/" + name;
    }
    events_.emplace_back(Named{parent, name, file, std::move(from)});
}

void VolumeRecord::vouch(std::uint64_t round) {
    const std::scoped_lock guard{mutex_};
    look();
    events_.emplace_back(Vouched{round});
}

std::size_t VolumeRecord::now() const {
    const std::scoped_lock guard{mutex_};
    return events_.size();
}

void VolumeRecord::hold(std::string path) {
    const std::scoped_lock guard{mutex_};
    hold_ = Hold::wanted;
    hold_path_ = std::move(path);
}
void VolumeRecord::wait_held() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return hold_ == Hold::held; });
}
void VolumeRecord::release() {
    const std::scoped_lock guard{mutex_};
    hold_ = Hold::none;
    changed_.notify_all();
}

std::optional<std::uint64_t> VolumeRecord::base_round(const File& file) const {
    SegmentHeader header;
    if (!file.path.starts_with(".anel/journal/") || file.now.size() < MappedPage::bytes + sizeof header) {
        return std::nullopt;
    }
    std::memcpy(&header, file.now.data() + MappedPage::bytes, sizeof header);
    return header.base_round;
}

std::uint64_t VolumeRecord::vouched(std::size_t events) const {
    std::uint64_t most = 0;
    for (std::size_t at = 0; at < events; ++at) {
        std::visit(Overloaded{
                       [&](const Written& written) {
                           const auto base = base_round(files_[written.file]);
                           if (base && written.mapped && written.offset == sizeof(std::uint64_t)) {
                               std::uint64_t slots = 0;
                               std::memcpy(&slots, written.bytes.data(), sizeof slots);
                               most = std::max(most, *base + slots);
                           }
                       },
                       [&](const Named& named) {
                           if (named.file) {
                               most = std::max(most, base_round(files_[*named.file]).value_or(0));
                           }
                       },
                       [](const Synced&) {},
                       [&](const Vouched& vouched) { most = std::max(most, vouched.round); },
                   },
                   events_[at]);
    }
    return most;
}

}  // namespace anel::test

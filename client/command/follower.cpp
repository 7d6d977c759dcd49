#include "client/command/follower.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "client/command/last_rounds.hpp"

namespace anel::command {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;

}  // namespace

Follower::Follower(std::filesystem::path path) : path_{std::move(path)} { watch_folder(); }

Follower::~Follower() { close(); }

void Follower::close() {
    if (file_ >= 0) ::close(file_);
    file_ = -1;
}

/// The folder's events tell of creation, replacement and growth alike.
void Follower::watch_folder() {
    if (watching_) return;
    const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path{"."};
    watching_ = watch_.add(folder, IN_CREATE | IN_MOVED_TO | IN_MODIFY);
}

bool Follower::open() {
    if (file_ >= 0) return true;
    watch_folder();
    file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    return file_ >= 0;
}

std::uint64_t Follower::size() const {
    struct stat info {};
    if (file_ < 0 || ::fstat(file_, &info) != 0) return 0;
    return static_cast<std::uint64_t>(info.st_size);
}

std::uint64_t Follower::offset_of_last_rounds(std::uint64_t rounds) const {
    const auto read_back = [this](std::uint64_t begin, std::size_t bytes) -> std::optional<std::string> {
        std::string text(bytes, '\0');
        const auto got = ::pread(file_, text.data(), text.size(), static_cast<off_t>(begin));
        if (got <= 0) return std::nullopt;
        text.resize(static_cast<std::size_t>(got));
        return text;
    };
    return command::offset_of_last_rounds(size(), rounds, read_back).value_or(0);
}

Follower::Change Follower::read(const std::function<bool(std::string_view)>& each) {
    if (!open()) return Change::none;
    static thread_local std::vector<char> chunk(chunk_bytes);
    while (true) {
        const auto got = ::pread(file_, chunk.data(), chunk.size(), static_cast<off_t>(offset_));
        if (got <= 0) break;
        offset_ += static_cast<std::uint64_t>(got);
        if (!each({chunk.data(), static_cast<std::size_t>(got)})) return Change::none;
    }
    struct stat by_name {};
    struct stat by_file {};
    if (::fstat(file_, &by_file) != 0) return Change::none;
    if (static_cast<std::uint64_t>(by_file.st_size) < offset_) {
        offset_ = 0;
        return Change::shortened;
    }
    if (::stat(path_.c_str(), &by_name) != 0) return Change::none;  // gone for now: wait for the next
    if (by_name.st_ino == by_file.st_ino && by_name.st_dev == by_file.st_dev) return Change::none;
    close();
    offset_ = 0;
    return Change::replaced;
}

void Follower::wait(std::chrono::milliseconds most) {
    // Some file systems tell no events of others' writes, so no wait is longer than this.
    watch_.wait(std::min(most, std::chrono::milliseconds{500}));
}

}  // namespace anel::command

#include "client/command/follower.hpp"

#include <sys/inotify.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/command/last_rounds.hpp"

namespace anel::command {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;

}  // namespace

Follower::Follower(std::filesystem::path path) : path_{std::move(path)}, file_{followed(path_)} { watch_folder(); }

Follower::~Follower() = default;

/// The folder's events tell of creation, replacement and growth alike.
void Follower::watch_folder() {
    if (watching_) return;
    const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path{"."};
    watching_ = watch_.add(folder, IN_CREATE | IN_MOVED_TO | IN_MODIFY);
}

bool Follower::open() {
    watch_folder();
    if (!file_->open()) return false;
    if (std::exchange(anew_, false)) offset_ = file_->newest();
    return true;
}

std::uint64_t Follower::offset_of_last_rounds(std::uint64_t rounds) const {
    // What was removed is as if it had never been.
    const auto first = file_->begin();
    const auto read_back = [&](std::uint64_t begin, std::size_t bytes) -> std::optional<std::string> {
        std::string text(bytes, '\0');
        text.resize(file_->read(std::as_writable_bytes(std::span{text}), first + begin));
        return text.empty() ? std::nullopt : std::optional{text};
    };
    return first + command::offset_of_last_rounds(size() - first, rounds, read_back).value_or(0);
}

Follower::Change Follower::read(const std::function<bool(std::string_view)>& each) {
    if (!open()) return Change::none;
    static thread_local std::vector<char> chunk(chunk_bytes);
    while (true) {
        const auto got = file_->read(std::as_writable_bytes(std::span{chunk}), offset_);
        offset_ += got;
        if (got > 0) {
            if (!each({chunk.data(), got})) return Change::none;
            continue;
        }
        if (const auto first = file_->begin(); offset_ < first) {
            missed_ += first - offset_;
            offset_ = first;
            continue;
        }
        if (file_->size() < offset_) {
            offset_ = file_->newest();
            return Change::shortened;
        }
        switch (file_->look()) {
            case Followed::Name::same: return Change::none;
            case Followed::Name::goes_on: continue;
            case Followed::Name::other: break;
        }
        file_->close();
        anew_ = true;
        return Change::replaced;
    }
}

void Follower::wait(std::chrono::milliseconds most) {
    // Some file systems tell no events of others' writes, so no wait is longer than this.
    watch_.wait(std::min(most, std::chrono::milliseconds{500}));
}

}  // namespace anel::command

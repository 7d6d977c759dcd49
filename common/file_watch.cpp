#include "common/file_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>

namespace anel {

FileWatch::FileWatch() : inotify_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)} {}

bool FileWatch::add(const std::filesystem::path& path, std::uint32_t events) {
    return inotify_.valid() && ::inotify_add_watch(inotify_.get(), path.c_str(), events) >= 0;
}

void FileWatch::take() const {
    std::array<char, 4096> ignored{};
    while (::read(inotify_.get(), ignored.data(), ignored.size()) > 0) {
    }
}

void FileWatch::wait(std::chrono::milliseconds most) const {
    pollfd events{inotify_.get(), POLLIN, 0};
    if (::poll(&events, inotify_.valid() ? 1 : 0, static_cast<int>(most.count())) > 0) take();
}

}  // namespace anel

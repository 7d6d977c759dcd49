#include "ring/ledger/life_sign.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

namespace anel {
namespace {

/// Numbers of the processes that hold a lock on this file, as far as this process may see them.
std::set<std::uint64_t> holders_of(int fd) {
    std::set<std::uint64_t> holders;
    const auto status = status_of(fd, "a locked file");
    if (!status) {
        return holders;
    }
    const std::string file =
        fmt::format("{:02x}:{:02x}:{}", ::major(status->st_dev), ::minor(status->st_dev), status->st_ino);
    std::ifstream locks{"/proc/locks"};
    // "1: FLOCK  ADVISORY  READ 4711 08:01:131090 0 EOF"; "0" where the process is of another container.
    for (std::string line; std::getline(locks, line);) {
        std::istringstream fields{line};
        std::string number, kind, advisory, access, where;
        std::uint64_t process = 0;
        if (fields >> number >> kind >> advisory >> access >> process >> where && kind == "FLOCK" && where == file &&
            process != 0) {
            holders.insert(process);
        }
    }
    return holders;
}

std::string told(int fd) {
    const auto holders = holders_of(fd);
    return holders.empty() ? "in another container" : fmt::format("process {}", fmt::join(holders, ", "));
}

}  // namespace

Result<void> show_life(int fd, const Folders& folders) {
    if (::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return failure(ErrorCode::folder_unusable,
                       fmt::format("anel repair is at work in {} ({}): start again when it has ended",
                                   folders.path.string(), told(fd)));
    }
    return {};  // where the file system knows no locks, a repair will say so
}

Result<void> be_alone(int fd, const Folders& folders) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
        return {};
    }
    const std::string where = folders.path.string();
    if (errno == EWOULDBLOCK) {
        return failure(ErrorCode::folder_unusable,
                       fmt::format("a node or another repair is at work in {} ({}): stop all nodes first, also those "
                                   "that are paused",
                                   where, told(fd)));
    }
    return failure(ErrorCode::folder_unusable,
                   fmt::format("cannot tell whether a node lives in {}: lock it: {}", where, std::strerror(errno)));
}

}  // namespace anel

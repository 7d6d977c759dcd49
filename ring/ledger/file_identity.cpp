#include "ring/ledger/file_identity.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

namespace anel {

Result<FileIdentity> identity_of(int fd, std::string_view what) {
    struct statx status {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0) {
        return io_failure(fmt::format("look at {}", what), errno);
    }
    FileIdentity identity{.inode = status.stx_ino, .born_ns = 0};
    if ((status.stx_mask & STATX_BTIME) != 0) {
        identity.born_ns =
            static_cast<std::uint64_t>(status.stx_btime.tv_sec) * 1'000'000'000U + status.stx_btime.tv_nsec;
    }
    return identity;
}

bool same_file(const FileIdentity& left, const FileIdentity& right) {
    const bool both_known = left.born_ns != 0 && right.born_ns != 0;
    return left.inode == right.inode && (!both_known || left.born_ns == right.born_ns);
}

}  // namespace anel

// Which file it is, for ever. The number of an inode alone comes back when one file is removed and another made.
#pragma once

#include "ring/ledger/files.hpp"

namespace anel {

struct FileIdentity {
    std::uint64_t inode = 0;
    std::uint64_t born_ns = 0;  ///< since 1970, as the file system noted it; 0: it does not say
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

[[nodiscard]] Result<FileIdentity> identity_of(int fd, std::string_view what);

/// Times of birth are compared where both are known.
[[nodiscard]] bool same_file(const FileIdentity& left, const FileIdentity& right);

}  // namespace anel

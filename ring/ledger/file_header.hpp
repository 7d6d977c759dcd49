// The headers of files that have one. Each begins with what kind of file it is (`magic`), the `version` of its format and
// the checksum (`crc`) of what is behind these three in it. What else it holds and whom it is good for, each room knows.
#pragma once

#include <cstddef>

#include "ring/ledger/bytes.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/files.hpp"

namespace anel {

/// CRC32C of a header behind its field `crc`.
template <class Header>
[[nodiscard]] std::uint32_t crc_of_header(const Header& header) {
    return crc32c(bytes_of(header).subspan(offsetof(Header, crc) + sizeof header.crc));
}

/// The header at `offset`, unchecked. Where the file ends before it, it is of no kind: its magic is empty.
template <class Header>
[[nodiscard]] Result<Header> read_header(int fd, std::uint64_t offset, std::string_view what) {
    Header header;
    auto got = read_at(fd, std::as_writable_bytes(std::span{&header, 1}), offset, what);
    if (!got) {
        return forward_error(got);
    }
    if (*got < sizeof header) {
        header.magic = {};
    }
    return header;
}

}  // namespace anel

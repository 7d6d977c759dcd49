#include "ring/ledger/block_sums.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "common/assert.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {
namespace {

constexpr const char* blocks_name = "blocks";

/// The file, made where there is none.
Result<Descriptor> open_blocks(FileSystem& files, const Folders& folders) {
    auto fd = open_existing(files, folders.anel.get(), blocks_name, O_RDWR);
    if (!fd || fd->valid()) {
        return fd;
    }
    auto made = open_unnamed(files, folders.anel.get(), ".anel/blocks");
    if (!made) {
        return forward_error(made);
    }
    // Empty when it gets its name; who loses the race opens the winner's.
    if (auto linked = link_file(files, made->get(), folders.anel.get(), blocks_name); !linked) {
        return forward_error(linked);
    }
    if (auto synced = fsync_folder(files, folders.anel.get(), ".anel"); !synced) {
        return forward_error(synced);
    }
    return open_existing(files, folders.anel.get(), blocks_name, O_RDWR);
}

/// @param first  number of the block that the first sum is of
Result<void> put_sums(FileSystem& files, const Folders& folders, std::uint64_t first,
                      const std::vector<std::uint32_t>& sums) {
    auto fd = open_blocks(files, folders);
    if (!fd) {
        return forward_error(fd);
    }
    if (auto written = write_all(files, fd->get(), {std::as_bytes(std::span{sums})}, first * sizeof(std::uint32_t),
                                 "blocks.write", ".anel/blocks");
        !written) {
        return written;
    }
    if (files.fdatasync(fd->get()) != 0) {
        return sync_failure(".anel/blocks", errno);
    }
    return {};
}

}  // namespace

void BlockSums::add(std::uint32_t crc, std::uint64_t bytes) {
    ANEL_ASSERT(fits(bytes));
    partial_ = crc32c_joined(partial_, crc, bytes);
    offset_ += bytes;
    if (bytes > 0) {
        finish_if_full();
    }
}

std::uint32_t BlockSums::add(BytesView bytes) {
    std::uint32_t all = 0;
    while (!bytes.empty()) {
        const auto room = block_bytes - offset_ % block_bytes;
        const auto part = bytes.first(std::min<std::uint64_t>(room, bytes.size()));
        const auto crc = crc32c(part);
        all = crc32c_joined(all, crc, part.size());
        add(crc, part.size());
        bytes = bytes.subspan(part.size());
    }
    return all;
}

void BlockSums::finish_if_full() {
    if (offset_ % block_bytes == 0) {
        finished_.push_back(partial_);
        partial_ = 0;
    }
}

Result<std::uint64_t> count_block_sums(FileSystem& files, const Folders& folders) {
    auto fd = open_existing(files, folders.anel.get(), blocks_name, O_RDONLY);
    if (!fd) {
        return forward_error(fd);
    }
    if (!fd->valid()) {
        return 0;
    }
    auto status = status_of(fd->get(), ".anel/blocks");
    if (!status) {
        return forward_error(status);
    }
    return static_cast<std::uint64_t>(status->st_size) / sizeof(std::uint32_t);
}

Result<void> write_block_sums(FileSystem& files, const Folders& folders, const BlockSums& sums) {
    if (sums.finished().empty()) {
        return {};
    }
    auto before = count_block_sums(files, folders);
    if (!before) {
        return forward_error(before);
    }
    if (*before < sums.first_finished()) {
        return failure(
            ErrorCode::ledger_damaged,
            fmt::format(".anel/blocks was removed or shortened: it has checksums of {} MiB, {} were written: {}",
                        *before, sums.first_finished(), way_out::adopt(folders.path)));
    }
    return put_sums(files, folders, sums.first_finished(), sums.finished());
}

Result<void> extend_block_sums(FileSystem& files, const Folders& folders, std::uint64_t count) {
    auto before = count_block_sums(files, folders);
    if (!before) {
        return forward_error(before);
    }
    if (*before >= count) {
        return {};
    }
    return put_sums(files, folders, *before, std::vector<std::uint32_t>(count - *before));
}

Result<std::vector<std::uint32_t>> read_block_sums(FileSystem& files, const Folders& folders, std::uint64_t count) {
    std::vector<std::uint32_t> sums(count);
    if (count == 0) {
        return sums;
    }
    auto fd = open_existing(files, folders.anel.get(), blocks_name, O_RDONLY);
    if (!fd) {
        return forward_error(fd);
    }
    const auto bytes = std::as_writable_bytes(std::span{sums});
    auto got = fd->valid() ? read_at(fd->get(), bytes, 0, ".anel/blocks") : Result<std::size_t>{0};
    if (!got) {
        return forward_error(got);
    }
    sums.resize(*got / sizeof(std::uint32_t));
    return sums;
}

}  // namespace anel

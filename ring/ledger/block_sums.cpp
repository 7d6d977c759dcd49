#include "ring/ledger/block_sums.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/fail_points.hpp"

namespace anel {
namespace {
constexpr const char* blocks_name = "blocks";
}

void BlockSums::add(std::uint32_t crc, std::uint64_t bytes) {
    ANEL_ASSERT(fits(bytes));
    partial_ = crc32c_joined(partial_, crc, bytes);
    offset_ += bytes;
    if (bytes > 0) {
        finish_if_full();
    }
}

void BlockSums::add(BytesView bytes) {
    while (!bytes.empty()) {
        const auto room = block_bytes - offset_ % block_bytes;
        const auto part = bytes.first(std::min<std::uint64_t>(room, bytes.size()));
        partial_ = crc32c(part, partial_);
        offset_ += part.size();
        bytes = bytes.subspan(part.size());
        finish_if_full();
    }
}

void BlockSums::finish_if_full() {
    if (offset_ % block_bytes == 0) {
        finished_.push_back(partial_);
        partial_ = 0;
    }
}

Result<void> write_block_sums(FileSystem& files, const Folders& folders, const BlockSums& sums) {
    if (sums.finished().empty()) {
        return {};
    }
    auto fd = open_existing(files, folders.anel.get(), blocks_name, O_RDWR);
    if (!fd) {
        return forward_error(fd);
    }
    if (!fd->valid()) {
        auto made = open_unnamed(files, folders.anel.get(), ".anel/blocks");
        if (!made) {
            return forward_error(made);
        }
        // Empty when it gets its name; who loses the race opens the winner's.
        if (auto linked = link_file(files, made->get(), folders.anel.get(), blocks_name); !linked) {
            return forward_error(linked);
        }
        if (auto synced = fsync_folder(files, folders.anel.get(), ".anel"); !synced) {
            return synced;
        }
        fd = open_existing(files, folders.anel.get(), blocks_name, O_RDWR);
        if (!fd) {
            return forward_error(fd);
        }
    }
    const BytesView bytes{reinterpret_cast<const std::byte*>(sums.finished().data()),
                          sums.finished().size() * sizeof(std::uint32_t)};
    const auto offset = sums.first_finished() * sizeof(std::uint32_t);
    if (auto written = write_all(files, fd->get(), {bytes}, offset, "blocks.write", ".anel/blocks"); !written) {
        return written;
    }
    if (files.fdatasync(fd->get()) != 0) {
        return sync_failure(".anel/blocks", errno);
    }
    return {};
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
    if (*got < bytes.size()) {
        return failure(ErrorCode::ledger_damaged,
                       fmt::format(".anel/blocks has sums of {} blocks, {} are finished", *got / 4, count));
    }
    return sums;
}

}  // namespace anel

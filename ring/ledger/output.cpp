#include "ring/ledger/output.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {

Result<std::optional<Output>> Output::open(FileSystem& files, const Folders& folders, bool writable) {
    auto fd = open_existing(files, folders.data.get(), name, writable ? O_RDWR : O_RDONLY);
    if (!fd) {
        return forward_error(fd);
    }
    if (!fd->valid()) {
        return std::optional<Output>{};
    }
    auto status = status_of(fd->get(), name);
    if (!status) {
        return forward_error(status);
    }
    if (!S_ISREG(status->st_mode)) {
        return failure(ErrorCode::folder_unusable,
                       fmt::format("{} is not a regular file: move it away", (folders.path / name).string()));
    }
    auto identity = identity_of(fd->get(), name);
    if (!identity) {
        return forward_error(identity);
    }
    Output output;
    output.files_ = &files;
    output.folder_ = folders.data.get();
    output.path_ = folders.path;
    output.fd_ = std::move(*fd);
    output.identity_ = *identity;
    return std::optional{std::move(output)};
}

Result<void> Output::create(FileSystem& files, const Folders& folders) {
    auto fd = open_unnamed(files, folders.data.get(), name);
    if (!fd) {
        return forward_error(fd);
    }
    if (files.fsync(fd->get()) != 0) {
        return sync_failure(name, errno);
    }
    auto linked = link_file(files, fd->get(), folders.data.get(), name);
    if (!linked) {
        return forward_error(linked);
    }
    return fsync_folder(files, folders.data.get(), "the data folder");
}

Result<std::uint64_t> Output::size() const {
    auto status = status_of(fd_.get(), name);
    if (!status) {
        return forward_error(status);
    }
    return static_cast<std::uint64_t>(status->st_size);
}

Result<void> Output::reserve(std::uint64_t from, std::uint64_t end) {
    return reservation_.ensure(*files_, fd_.get(), from, end, "output.reserve", name);
}

Result<void> Output::write(std::string_view text, std::uint64_t offset) {
    const auto effect = fail_points::pass("output.write");
    if (effect.error != 0) {
        return io_failure("write output.txt", effect.error);
    }
    const auto bytes = as_bytes(text);
    // Two pieces only while a test may want to stand between them.
    const std::size_t cut = fail_points::detail::armed.load(std::memory_order_relaxed) ? bytes.size() / 2 : 0;
    if (cut > 0) {
        if (auto half = write_all(*files_, fd_.get(), {bytes.first(cut)}, offset, "output.first_half", name); !half) {
            return half;
        }
    }
    if (auto rest = write_all(*files_, fd_.get(), {bytes.subspan(cut)}, offset + cut, "output.middle", name); !rest) {
        return rest;
    }
    const auto block_of = [](std::uint64_t at) { return at / write_back_bytes * write_back_bytes; };
    const auto begin = block_of(offset);
    if (const auto end = block_of(offset + bytes.size()); begin < end) {
        files_->start_write_back(fd_.get(), static_cast<off_t>(begin), static_cast<off_t>(end - begin));
    }
    return {};
}

Result<void> for_each_filler(std::uint64_t begin, std::uint64_t end,
                             const std::function<Result<void>(std::string_view, std::uint64_t)>& piece) {
    constexpr std::uint64_t part_bytes = 64 * 1024;
    std::string part;
    for (; begin < end; begin += part.size()) {
        part.assign(std::min(part_bytes, end - begin), ' ');
        if (begin + part.size() == end) {
            part.back() = '\n';
        }
        if (auto done = piece(part, begin); !done) {
            return done;
        }
    }
    return {};
}

Result<void> Output::write_filler(std::uint64_t begin, std::uint64_t end) {
    if (begin == end) {
        return {};
    }
    if (auto room = reserve(begin, end); !room) {
        return room;
    }
    return for_each_filler(begin, end, [this](std::string_view part, std::uint64_t offset) {
        return write_all(*files_, fd_.get(), {as_bytes(part)}, offset, "output.filler", name);
    });
}

Result<std::size_t> Output::read(std::span<std::byte> into, std::uint64_t offset) const {
    return read_at(fd_.get(), into, offset, name);
}

Result<void> Output::make_durable() {
    const auto effect = fail_points::pass("output.sync");
    if (effect.error != 0) {
        return sync_failure(name, effect.error);
    }
    if (files_->fdatasync(fd_.get()) != 0) {
        return sync_failure(name, errno);
    }
    return {};
}

Result<std::uint64_t> Output::tail_hash(std::uint64_t end) const {
    Bytes tail(std::min(end, tail_bytes));
    auto got = read(tail, end - tail.size());
    if (!got) {
        return forward_error(got);
    }
    if (*got < tail.size()) {
        return failure(ErrorCode::outside_hands,
                       fmt::format("output.txt is shorter than the {} bytes that are certain", end));
    }
    return hash_of_tail(tail);
}

std::uint64_t Output::hash_of_tail(BytesView tail) { return XXH3_64bits(tail.data(), tail.size()); }

Result<void> Output::check(std::uint64_t bytes) const {
    struct stat status {};
    if (::fstatat(folder_, name, &status, 0) != 0 || status.st_ino != identity_.inode) {
        return failure(
            ErrorCode::outside_hands,
            fmt::format("output.txt was removed or replaced while the ring ran: put the old file back, or {}",
                        way_out::adopt(path_)));
    }
    if (static_cast<std::uint64_t>(status.st_size) < bytes) {
        return failure(ErrorCode::outside_hands,
                       fmt::format("output.txt was shortened to {} bytes, {} were written: {}", status.st_size, bytes,
                                   way_out::repair(path_)));
    }
    return {};
}

}  // namespace anel

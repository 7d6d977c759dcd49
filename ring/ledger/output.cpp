#include "ring/ledger/output.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {

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

const OutputPlace& Output::place_before(std::uint64_t end) const {
    return places_[index_at(end - std::min<std::uint64_t>(end, 1))];
}

std::size_t Output::index_at(std::uint64_t offset) const {
    const auto behind = std::upper_bound(places_.begin() + 1, places_.end(), offset,
                                         [](std::uint64_t at, const OutputPlace& one) { return at < one.base; });
    return static_cast<std::size_t>(behind - places_.begin()) - 1;
}

std::uint64_t Output::end_of(std::uint64_t file) const {
    return file < places_.size() ? places_[file].base : std::numeric_limits<std::uint64_t>::max();
}

Result<Output::File*> Output::file(std::uint64_t number) const {
    const auto known = open_.find(number);
    if (known != open_.end()) {
        return &known->second;
    }
    auto fd = open_existing(*files_, data_, finished_name(number), writable_ ? O_RDWR : O_RDONLY);
    if (!fd || !fd->valid()) {
        return fd ? Result<File*>{nullptr} : forward_error(fd);
    }
    auto identity = identity_of(fd->get(), finished_name(number));
    if (!identity) {
        return forward_error(identity);
    }
    return &open_.emplace(number, File{std::move(*fd), *identity, {}}).first->second;
}

Result<std::uint64_t> Output::size() const {
    auto status = status_of(open_.rbegin()->second.fd.get(), name);
    if (!status) {
        return forward_error(status);
    }
    return place().base + static_cast<std::uint64_t>(status->st_size);
}

Result<std::optional<std::uint64_t>> Output::size_of(const OutputPlace& place) const {
    auto found = file(place.file);
    if (!found || *found == nullptr) {
        return found ? Result<std::optional<std::uint64_t>>{std::nullopt} : forward_error(found);
    }
    auto status = status_of((*found)->fd.get(), finished_name(place.file));
    return status ? Result<std::optional<std::uint64_t>>{static_cast<std::uint64_t>(status->st_size)}
                  : forward_error(status);
}

Result<std::uint64_t> Output::begin() const {
    for (; first_ < places_.size(); ++first_) {
        const auto& one = places_[first_];
        auto found = one.file == place().file ? Result<bool>{true} : is_named(data_, finished_name(one.file));
        if (!found) {
            return forward_error(found);
        }
        if (*found) {
            return one.base;
        }
    }
    return place().base;
}

Result<void> Output::reserve(std::uint64_t from, std::uint64_t end) {
    const auto& one = places_[index_at(from)];
    auto found = file(one.file);
    if (!found || *found == nullptr) {
        return found ? Result<void>{} : forward_error(found);
    }
    return (*found)->reservation.ensure(*files_, (*found)->fd.get(), from - one.base, end - one.base, "output.reserve",
                                        name);
}

Result<void> Output::write(std::string_view text, std::uint64_t offset) {
    const auto effect = fail_points::pass("output.write");
    if (effect.error != 0) {
        return io_failure("write output.txt", effect.error);
    }
    const auto& one = places_[index_at(offset)];
    auto found = file(one.file);
    if (!found || *found == nullptr) {
        return found ? Result<void>{} : forward_error(found);
    }
    const int fd = (*found)->fd.get();
    const std::uint64_t at = offset - one.base;
    const auto bytes = as_bytes(text);
    // Two pieces only while a test may want to stand between them.
    const std::size_t cut = fail_points::detail::armed.load(std::memory_order_relaxed) ? bytes.size() / 2 : 0;
    if (cut > 0) {
        if (auto half = write_all(*files_, fd, {bytes.first(cut)}, at, "output.first_half", name); !half) {
            return half;
        }
    }
    if (auto rest = write_all(*files_, fd, {bytes.subspan(cut)}, at + cut, "output.middle", name); !rest) {
        return rest;
    }
    const auto block_of = [](std::uint64_t byte) { return byte / write_back_bytes * write_back_bytes; };
    const auto begin = block_of(at);
    if (const auto end = block_of(at + bytes.size()); begin < end) {
        files_->start_write_back(fd, static_cast<off_t>(begin), static_cast<off_t>(end - begin));
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
    if (auto room = reserve(begin, std::min(end, end_of(places_[index_at(begin)].file))); !room) {
        return room;
    }
    return for_each_filler(begin, end, [this](std::string_view part, std::uint64_t offset) -> Result<void> {
        // Only what a repair lost may reach over a file's end.
        while (!part.empty()) {
            const auto& one = places_[index_at(offset)];
            const auto here = part.substr(0, std::min<std::uint64_t>(part.size(), end_of(one.file) - offset));
            auto found = file(one.file);
            auto done = !found              ? forward_error(found)
                        : *found == nullptr ? Result<void>{}
                                            : write_all(*files_, (*found)->fd.get(), {as_bytes(here)},
                                                        offset - one.base, "output.filler", name);
            if (!done) {
                return done;
            }
            part.remove_prefix(here.size());
            offset += here.size();
        }
        return {};
    });
}

Result<std::size_t> Output::read(std::span<std::byte> into, std::uint64_t offset) const {
    std::size_t done = 0;
    while (done < into.size()) {
        const std::uint64_t at = offset + done;
        const auto& one = places_[index_at(at)];
        const auto wanted = std::min<std::uint64_t>(into.size() - done, end_of(one.file) - at);
        auto found = file(one.file);
        if (!found) {
            return forward_error(found);
        }
        auto got = *found == nullptr ? Result<std::size_t>{0}
                                     : read_at((*found)->fd.get(), into.subspan(done, wanted), at - one.base, name);
        if (!got) {
            return got;
        }
        done += *got;
        if (*got < wanted) {
            break;
        }
    }
    return done;
}

Result<void> Output::make_durable(std::uint64_t from) {
    const auto effect = fail_points::pass("output.sync");
    if (effect.error != 0) {
        return sync_failure(name, effect.error);
    }
    for (std::size_t index = index_at(from); index < places_.size(); ++index) {
        auto found = file(places_[index].file);
        if (!found) {
            return forward_error(found);
        }
        if (*found != nullptr && files_->fdatasync((*found)->fd.get()) != 0) {
            return sync_failure(name, errno);
        }
    }
    return {};
}

Result<std::uint64_t> Output::tail_hash(std::uint64_t end) const {
    Bytes tail(std::min(end - place_before(end).base, tail_bytes));
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

Result<std::uint64_t> Output::checked_size(std::uint64_t bytes) const {
    const auto status = status_if_same(data_, name, identity().inode);
    if (!status) {
        return failure(
            ErrorCode::outside_hands,
            fmt::format("output.txt was removed or replaced while the ring ran: put the old file back, or {}",
                        way_out::adopt(path_)));
    }
    const std::uint64_t least = bytes - std::min(bytes, place().base);
    const auto size = static_cast<std::uint64_t>(status->st_size);
    if (size < least) {
        return failure(ErrorCode::outside_hands,
                       fmt::format("output.txt was shortened to {} bytes, {} were written: {}", size, least,
                                   way_out::repair(path_)));
    }
    return size;
}

Result<void> Output::check(std::uint64_t bytes) const {
    return checked_size(bytes).map([](std::uint64_t) {});
}

Result<void> Output::check_end(std::uint64_t bytes) const {
    return checked_size(bytes).and_then([&](std::uint64_t size) -> Result<void> {
        const std::uint64_t written = bytes - std::min(bytes, place().base);
        if (size > written) {
            return failure(ErrorCode::outside_hands,
                           fmt::format("output.txt has {} bytes, {} were written; somebody else wrote behind them: {}",
                                       size, written, way_out::cut_off(path_, written)));
        }
        return {};
    });
}

}  // namespace anel

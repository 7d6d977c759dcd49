#include "ring/ledger/series_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "common/assert.hpp"
#include "ring/ledger/bytes.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {
namespace {

constexpr const char* series_name = "series";
constexpr std::uint64_t entry_bytes = 128;
constexpr std::uint64_t front_offset = 96;  ///< in an entry; written later than what is before it

struct Place {
    OutputPlace place;
    std::uint32_t crc = 0;
    std::uint32_t zero = 0;
};
struct Front {
    std::uint64_t file = 0;
    std::uint32_t front_crc = 0;
    std::uint32_t crc = 0;
};
static_assert(sizeof(Place) <= front_offset);
static_assert(front_offset + sizeof(Front) <= entry_bytes);

std::uint32_t crc_of(const Place& entry) { return crc32c(bytes_of(entry.place)); }
std::uint32_t crc_of(const Front& front) { return crc32c(bytes_of(front).first(offsetof(Front, crc))); }

/// File 1 has no entry: .anel/ledger says all of it.
std::uint64_t offset_of(std::uint64_t file) { return (file - 2) * entry_bytes; }

Result<Descriptor> open_series(FileSystem& files, int anel, int flags) {
    return anel >= 0 ? open_existing(files, anel, series_name, flags) : Descriptor{};
}

/// The file, made where there is none. Empty when it gets its name; who loses the race opens the winner's.
Result<Descriptor> make_series(FileSystem& files, int anel) {
    auto fd = open_series(files, anel, O_RDWR);
    if (!fd || fd->valid()) {
        return fd;
    }
    auto made = open_unnamed(files, anel, ".anel/series");
    if (!made) {
        return forward_error(made);
    }
    if (auto linked = link_file(files, made->get(), anel, series_name); !linked) {
        return forward_error(linked);
    }
    return open_series(files, anel, O_RDWR);
}

Result<void> put(FileSystem& files, int anel, BytesView bytes, std::uint64_t offset) {
    auto fd = make_series(files, anel);
    if (!fd) {
        return forward_error(fd);
    }
    if (auto written = write_all(files, fd->get(), {bytes}, offset, "series.write", ".anel/series"); !written) {
        return written;
    }
    if (files.fdatasync(fd->get()) != 0) {
        return sync_failure(".anel/series", errno);
    }
    return fsync_folder(files, anel, ".anel");
}

}  // namespace

Result<std::vector<OutputPlace>> read_series(FileSystem& files, int anel) {
    std::vector<OutputPlace> places{OutputPlace{}};
    auto fd = open_series(files, anel, O_RDONLY);
    if (!fd || !fd->valid()) {
        return fd ? Result<std::vector<OutputPlace>>{std::move(places)} : forward_error(fd);
    }
    auto status = status_of(fd->get(), ".anel/series");
    if (!status) {
        return forward_error(status);
    }
    Bytes bytes(static_cast<std::size_t>(status->st_size));
    auto got = read_at(fd->get(), bytes, 0, ".anel/series");
    if (!got) {
        return forward_error(got);
    }
    std::uint64_t last_good = 1;
    for (std::uint64_t at = 0; at + sizeof(Place) <= *got; at += entry_bytes) {
        Place entry;
        std::memcpy(&entry, bytes.data() + at, sizeof entry);
        const bool good = entry.crc == crc_of(entry) && offset_of(entry.place.file) == at;
        places.push_back(entry.place);
        last_good = good ? places.size() : last_good;
        places.back().file = good ? entry.place.file : 0;
    }
    // A power cut may tear the last one, before anything relies on it.
    places.resize(last_good);
    for (const auto& place : places) {
        if (place.file == 0) {
            return failure(ErrorCode::ledger_damaged, fmt::format(".anel/series is damaged (entry {}): {}",
                                                                  &place - places.data() + 1, way_out::good_copy));
        }
    }
    return places;
}

tl::unexpected<Error> series_is_cut(const std::filesystem::path& folder) {
    return failure(ErrorCode::ledger_damaged, fmt::format("{}/.anel/series was removed or shortened: {}",
                                                          folder.string(), way_out::put_back(folder)));
}

Result<void> write_series_place(FileSystem& files, int anel, const OutputPlace& place) {
    ANEL_ASSERT(place.file > 1);
    Place entry{.place = place};
    entry.crc = crc_of(entry);
    return put(files, anel, bytes_of(entry), offset_of(place.file));
}

Result<void> write_series_front(FileSystem& files, int anel, const SeriesFront& front) {
    ANEL_ASSERT(front.file > 1);
    Front entry{.file = front.file, .front_crc = front.crc};
    entry.crc = crc_of(entry);
    return put(files, anel, bytes_of(entry), offset_of(front.file) + front_offset);
}

Result<std::optional<std::uint32_t>> read_series_front(FileSystem& files, int anel, std::uint64_t file) {
    auto fd = open_series(files, anel, O_RDONLY);
    if (!fd) {
        return forward_error(fd);
    }
    Front front;
    Bytes bytes(sizeof front);
    auto got = fd->valid() ? read_at(fd->get(), bytes, offset_of(file) + front_offset, ".anel/series")
                           : Result<std::size_t>{0};
    if (!got) {
        return forward_error(got);
    }
    std::memcpy(&front, bytes.data(), sizeof front);
    const bool good = *got == sizeof front && front.file == file && front.crc == crc_of(front);
    return good ? std::optional{front.front_crc} : std::nullopt;
}

}  // namespace anel

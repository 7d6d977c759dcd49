// How the output goes on in a new file, and how one comes to know of it.
//
// The file waits under a name that is used once, made before the segment that names it. Once the segment is linked,
// anybody renames it to output.txt: the first one can, and for all who come later there is nothing left to rename.
#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <random>

#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/output.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {

Result<bool> Output::waits(const OutputPlace& place) const {
    return place.file == 1 ? Result<bool>{false} : is_named(data_, waiting_name(place));
}

Result<Output::Found> Output::open_newest() {
    auto places = read_series(*files_, anel_);
    auto waiting = places ? waits(places->back()) : Result<bool>{false};
    auto fd = open_existing(*files_, data_, name, writable_ ? O_RDWR : O_RDONLY);
    if (!places || !waiting || !fd) {
        return !places ? forward_error(places) : !waiting ? forward_error(waiting) : forward_error(fd);
    }
    if (!fd->valid()) {
        return Found::none;
    }
    auto status = status_of(fd->get(), name);
    auto identity = identity_of(fd->get(), name);
    if (!status || !identity) {
        return status ? forward_error(identity) : forward_error(status);
    }
    if (!S_ISREG(status->st_mode)) {
        return failure(ErrorCode::folder_unusable,
                       fmt::format("{} is not a regular file: move it away", (path_ / name).string()));
    }
    // It was this file from before to after it was opened, because a newer one is in the series before it gets the name.
    auto places_now = read_series(*files_, anel_);
    auto waiting_now = waits(places->back());
    if (!places_now || !waiting_now) {
        return places_now ? forward_error(waiting_now) : forward_error(places_now);
    }
    if (*waiting != *waiting_now || *places != *places_now) {
        return Found::another;
    }
    if (*waiting) {
        places->pop_back();  // nothing is decided for it yet
    }
    places_ = std::move(*places);
    open_.try_emplace(place().file, File{std::move(*fd), *identity, {}});  // an older descriptor hears of more
    return Found::it;
}

Result<std::optional<Output>> Output::open(FileSystem& files, const Folders& folders, bool writable) {
    Output output;
    output.files_ = &files;
    output.data_ = folders.data.get();
    output.anel_ = folders.anel.get();
    output.journal_ = folders.journal.get();
    output.path_ = folders.path;
    output.writable_ = writable;
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        auto found = output.open_newest();
        if (!found) {
            return forward_error(found);
        }
        if (*found != Found::another) {
            return *found == Found::it ? std::optional{std::move(output)} : std::nullopt;
        }
    }
    return failure(ErrorCode::io_failed, "the output goes on in new files faster than they can be opened");
}

Result<void> Output::follow(const OutputPlace& newest) {
    constexpr int attempts = 100;
    for (int attempt = 0; newest.file > place().file && attempt < attempts; ++attempt) {
        auto found = open_newest();
        if (!found) {
            return forward_error(found);
        }
        if (*found == Found::none) {
            return failure(ErrorCode::outside_hands, "output.txt was removed while the ring ran");
        }
        if (*found == Found::it) {
            break;
        }
    }
    // A file is in the series before the segment of the next one is made.
    return newest.file > place().file + 1 ? series_is_cut(path_) : Result<void>{};
}

void Output::take(Output other) {
    places_ = std::move(other.places_);
    open_.merge(other.open_);
}

void Output::forget_below(std::uint64_t offset) {
    std::erase_if(open_, [&](const auto& one) { return end_of(one.first) <= offset; });
}

Result<void> Output::check_turn() const {
    if (auto same = check(0); !same) {
        return same;
    }
    const auto finished = finished_name(place().file);
    struct stat status {};
    if (::fstatat(data_, finished.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_ino != identity().inode) {
        return failure(ErrorCode::outside_hands,
                       fmt::format("{} is in the way: output.txt gets that name when the output goes on in a new file; "
                                   "move it away",
                                   (path_ / finished).string()));
    }
    return {};
}

Result<OutputPlace> Output::prepare_next() const {
    OutputPlace next;
    next.file = place().file + 1;
    std::random_device random;
    next.tag = (std::uint64_t{random()} << 32U) | random();
    auto fd = open_unnamed(*files_, data_, "a new output.txt");
    auto made = fd ? identity_of(fd->get(), "a new output.txt") : forward_error(fd);
    if (!made) {
        return forward_error(made);
    }
    next.identity = *made;
    if (files_->fsync(fd->get()) != 0) {
        return sync_failure("a new output.txt", errno);
    }
    auto linked = link_file(*files_, fd->get(), data_, waiting_name(next));
    if (!linked || !*linked) {
        return linked ? failure(ErrorCode::fenced, "a random number came twice") : forward_error(linked);
    }
    if (auto synced = fsync_folder(*files_, data_, "the data folder"); !synced) {
        return forward_error(synced);
    }
    fail_points::pass("output.prepared");
    return next;
}

Result<void> Output::name_finished(const OutputPlace& next) {
    auto linked = check_turn().and_then(
        [&] { return link_file(*files_, open_.rbegin()->second.fd.get(), data_, finished_name(place().file)); });
    if (!linked) {
        // Whoever slept here finds that output.txt is another file since, and the old one perhaps removed.
        auto waiting = waits(next);
        return !waiting ? forward_error(waiting) : *waiting ? forward_error(linked) : Result<void>{};
    }
    return fsync_folder(*files_, data_, "the data folder");
}

Result<void> Output::turn(const OutputPlace& next) {
    if (next.file <= place().file) {
        return {};
    }
    // A power cut must not take the segment and leave what it says.
    if (auto synced = fsync_folder(*files_, journal_, ".anel/journal"); !synced) {
        return synced;
    }
    // In the series before it has the name: who finds output.txt knows by the series which file it is.
    if (auto written = write_series_place(*files_, anel_, next).and_then([&] { return follow(next); }); !written) {
        return written;
    }
    if (place().file + 1 == next.file) {
        if (auto named = name_finished(next); !named) {
            return named;
        }
        fail_points::pass("output.before_turn");
        if (files_->rename(data_, waiting_name(next).c_str(), name) != 0 && errno != ENOENT) {
            return io_failure("give output.txt's name to a new file", errno);
        }
        fail_points::pass("output.turned");
    }
    // Also where another node renamed it: that node may not have come to its fsync yet.
    auto known = fsync_folder(*files_, data_, "the data folder").and_then([&] { return follow(next); });
    if (known && place().file < next.file) {
        return failure(ErrorCode::outside_hands,
                       fmt::format("the new output.txt was removed before it had its name: {}", way_out::adopt(path_)));
    }
    return known;
}

Result<void> trim_waiting_outputs(FileSystem& files, const Folders& folders, const OutputPlace& place) {
    auto names = list_names(folders.data.get(), "the data folder");
    if (!names) {
        return forward_error(names);
    }
    for (const auto& one : *names) {
        unsigned long long number = 0;
        unsigned long long tag = 0;
        const bool hidden = std::sscanf(one.c_str(), ".output.%llu.%llx", &number, &tag) == 2;
        if (hidden && number <= place.file && one != waiting_name(place) &&
            one == waiting_name({.file = number, .tag = tag})) {
            files.unlink(folders.data.get(), one.c_str());
        }
    }
    return {};
}

}  // namespace anel

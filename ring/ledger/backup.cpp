#include "ring/ledger/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "ring/ledger/adoption.hpp"
#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/bytes.hpp"
#include "ring/ledger/opened_ledger.hpp"

namespace anel {
namespace {

/// One moment of a ledger, all of it open: what is trimmed from now on stays readable here.
struct Moment {
    KeptJournal kept;
    Descriptor checkpoint;
    std::vector<std::unique_ptr<Segment>> segments;
    Position end;   ///< of what was decided
    int anel = -1;  ///< the folder
};

Result<Moment> hold_moment(const LedgerPlace& place) {
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        auto kept = find_kept_journal(place);
        if (!kept) {
            return forward_error(kept);
        }
        Moment moment{.kept = *kept, .checkpoint = {}, .segments = {}, .end = {}, .anel = place.folders.anel.get()};
        SegmentNumber number = kept->lowest;
        if (kept->mark) {
            auto fd = open_existing(place.files, place.folders.checkpoint.get(),
                                    std::to_string(kept->mark->round.value), O_RDONLY);
            if (!fd) {
                return forward_error(fd);
            }
            if (!fd->valid()) {
                continue;
            }
            moment.checkpoint = std::move(*fd);
            number = kept->mark->segment;
        }
        for (; number.value != 0 && number <= kept->newest; number = number.next()) {
            auto segment = open_kept_segment(place.files, place.folders, number, place.id(), place.boot, Access::read);
            if (!segment) {
                return forward_error(segment);
            }
            if (!*segment) {
                break;
            }
            if (!moment.segments.empty()) {
                moment.segments.back()->set_final_slots((*segment)->header().previous_slots);
            }
            moment.segments.push_back(std::move(*segment));
        }
        if (number <= kept->newest && number.value != 0) {
            continue;  // trimmed under us
        }
        moment.end.output_end = place.file.identity().adopted_bytes;
        return moment;
    }
    return failure(ErrorCode::io_failed, "the journal is trimmed faster than it can be opened; try again");
}

class Copier {
public:
    explicit Copier(FileSystem& files) : files_{files} {}

    /// Bytes [0, end) of `from`, with `first` instead of what its first bytes are, as a new durable file.
    Result<void> copy(int from, std::uint64_t end, BytesView first, int folder, const std::string& name) {
        return copy([&](std::span<std::byte> into, std::uint64_t at) { return read_at(from, into, at, name); }, end,
                    first, folder, name);
    }
    Result<void> copy(const ReadAt& read, std::uint64_t end, BytesView first, int folder, const std::string& name) {
        const Descriptor to{files_.open(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
        if (!to.valid()) {
            return io_failure(fmt::format("make the copy {}", name), errno);
        }
        for (std::uint64_t at = 0; at < end;) {
            buffer_.resize(std::min(block_bytes, end - at));
            auto got = read(buffer_, at);
            if (!got) {
                return forward_error(got);
            }
            if (*got == 0) {
                break;  // the last round is perhaps not written yet: a repair takes it from its record
            }
            if (at == 0 && !first.empty()) {
                std::copy_n(first.begin(), std::min(first.size(), *got), buffer_.begin());
            }
            const auto part = BytesView{buffer_}.first(*got);
            if (auto done = write_all(files_, to.get(), {part}, at, "backup.write", name); !done) {
                return done;
            }
            at += *got;
        }
        if (files_.fsync(to.get()) != 0) {
            return sync_failure(name, errno);
        }
        return {};
    }

    Result<void> copy_whole(int from, int folder, const std::string& name) {
        auto status = status_of(from, name);
        return status ? copy(from, static_cast<std::uint64_t>(status->st_size), {}, folder, name)
                      : forward_error(status);
    }

private:
    FileSystem& files_;
    Bytes buffer_;
};

Result<Folders> make_target(FileSystem& files, const std::filesystem::path& target) {
    std::error_code problem;
    std::filesystem::create_directory(target, problem);
    if (problem || !std::filesystem::is_empty(target, problem) || problem) {
        return failure(ErrorCode::bad_configuration,
                       fmt::format("{} is no place for a backup: allowed is an empty folder, or a name of a new one{}",
                                   target.string(), problem ? " (" + problem.message() + ")" : ""));
    }
    auto folders = open_folder_to_read(target);
    auto made = folders ? make_inner_folders(files, *folders) : Result<void>{};
    return made ? std::move(folders) : forward_error(made);
}

/// The words of a page, as they are to be in the copy.
Bytes page_of(std::initializer_list<std::pair<std::size_t, std::uint64_t>> words) {
    Bytes page(MappedPage::bytes);
    for (const auto& [word, value] : words) {
        std::memcpy(page.data() + word * sizeof value, &value, sizeof value);
    }
    return page;
}

Result<void> copy_journal(Copier& copier, Moment& moment, const Folders& to) {
    if (moment.kept.mark) {
        const auto name = std::to_string(moment.kept.mark->round.value);
        if (auto done = copier.copy_whole(moment.checkpoint.get(), to.checkpoint.get(), name); !done) {
            return done;
        }
    }
    for (const auto& segment : moment.segments) {
        auto slots = segment->slots();
        auto end = slots ? segment->position_at(*slots) : Result<Position>{};
        if (!slots || !end) {
            return slots ? forward_error(end) : forward_error(slots);
        }
        const std::uint64_t sealed = segment->final_slots() ? Segment::sealed_bit : 0;
        const Bytes words = page_of({{0, *slots | sealed}, {1, *slots}});
        if (auto done = copier.copy(segment->fd(), end->file_offset, words, to.journal.get(),
                                    std::to_string(segment->number().value));
            !done) {
            return done;
        }
        moment.end = *end;
    }
    return {};
}

/// All files of the output up to byte `end`. In the copy each has the name that it is to have, also where the newest has
/// not got output.txt's name yet in what is copied.
Result<void> copy_output(FileSystem& files, Copier& copier, const Moment& moment, std::uint64_t end, Output& output,
                         const Folders& to) {
    const OutputPlace newest = moment.segments.empty() ? OutputPlace{} : moment.segments.back()->header().output;
    if (auto known = output.follow(newest); !known) {
        return known;
    }
    auto places = output.places();
    places.resize(std::min<std::size_t>(places.size(), newest.file));
    if (places.back().file < newest.file) {
        places.push_back(newest);
    }
    for (const auto& one : places) {
        const bool last = one.file == newest.file;
        auto there = one.file > output.place().file ? Result<std::optional<std::uint64_t>>{0} : output.size_of(one);
        if (!there) {
            return forward_error(there);
        }
        const auto read = [&](std::span<std::byte> into, std::uint64_t at) { return output.read(into, one.base + at); };
        const std::uint64_t bytes = (last ? end : output.end_of(one.file)) - one.base;
        auto done = !*there && !last ? Result<void>{}
                                     : copier.copy(read, bytes, {}, to.data.get(),
                                                   last ? std::string{Output::name} : finished_name(one.file));
        auto front = read_series_front(files, moment.anel, std::max<std::uint64_t>(one.file, 2));
        if (!done || !front) {
            return done ? forward_error(front) : done;
        }
        if (one.file == 1) {
            continue;
        }
        done = write_series_place(files, to.anel.get(), one);
        if (done && *front) {
            done = write_series_front(files, to.anel.get(), {.file = one.file, .crc = **front});
        }
        if (!done) {
            return done;
        }
    }
    return {};
}

Result<void> copy_rest(FileSystem& files, Copier& copier, const Moment& moment, const LedgerPlace& place,
                       Output& output, const Folders& to) {
    auto adopted = open_existing(files, place.folders.anel.get(), "adopted", O_RDONLY | O_DIRECTORY);
    auto numbers = adopted && adopted->valid() ? list_numbers(adopted->get(), ".anel/adopted")
                                               : Result<std::vector<std::uint64_t>>{};
    auto adopted_copy = numbers && !numbers->empty() ? make_folder(files, to, to.anel.get(), "adopted") : Descriptor{};
    if (!adopted || !numbers || !adopted_copy) {
        return !adopted ? forward_error(adopted) : !numbers ? forward_error(numbers) : forward_error(adopted_copy);
    }
    for (const auto number : *numbers) {
        auto fd = open_existing(files, adopted->get(), std::to_string(number), O_RDONLY);
        auto done = fd ? copier.copy_whole(fd->get(), adopted_copy->get(), std::to_string(number)) : forward_error(fd);
        if (!done) {
            return done;
        }
    }
    auto blocks = open_existing(files, place.folders.anel.get(), "blocks", O_RDONLY);
    if (blocks && blocks->valid()) {
        if (auto done = copier.copy_whole(blocks->get(), to.anel.get(), "blocks"); !done) {
            return done;
        }
    }
    auto adoption = newest_adoption(files, place.folders, place.id());
    if (!adoption) {
        return forward_error(adoption);
    }
    // What was adopted behind the last round stands in no record.
    const bool tail = *adoption && (*adoption)->is_behind(moment.kept.newest, moment.end.round);
    const std::uint64_t end = tail ? (*adoption)->tail_end : moment.end.output_end;
    if (auto done = copy_output(files, copier, moment, end, output, to); !done) {
        return done;
    }
    if (adopted_copy->valid()) {
        if (auto synced = fsync_folder(files, adopted_copy->get(), "the copy"); !synced) {
            return synced;
        }
    }
    for (const int folder : {to.journal.get(), to.checkpoint.get(), to.data.get()}) {
        if (auto synced = fsync_folder(files, folder, "the copy"); !synced) {
            return synced;
        }
    }
    const Bytes words = page_of({{LedgerFile::named_segment_word, moment.kept.newest.value}});
    return copier.copy(place.file.fd(), 2 * MappedPage::bytes, words, to.anel.get(), "ledger").and_then([&] {
        return fsync_folder(files, to.anel.get(), "the copy");
    });
}

}  // namespace

Result<BackupReport> backup(const std::filesystem::path& folder, const std::filesystem::path& target) {
    FileSystem files;
    auto from = open_to_look(files, folder);
    if (!from) {
        return forward_error(from);
    }
    const LedgerPlace place = from->place(files);
    auto moment = hold_moment(place);
    if (!moment) {
        return forward_error(moment);
    }
    auto to = make_target(files, target);
    if (!to) {
        return forward_error(to);
    }
    Copier copier{files};
    auto done = copy_journal(copier, *moment, *to).and_then([&] {
        return copy_rest(files, copier, *moment, place, from->output, *to);
    });
    if (!done) {
        return forward_error(done);
    }
    auto check = repair({.folder = target, .mode = RepairMode::adopt, .dry_run = true, .files = nullptr, .boot = {}});
    if (!check) {
        return forward_error(check);
    }
    BackupReport report{.checkpoint = {},
                        .segments = moment->segments.size(),
                        .last_round = moment->end.round,
                        .last_sequence = moment->end.sequence,
                        .output_bytes = moment->end.output_end,
                        .check = std::move(*check)};
    if (moment->kept.mark) {
        report.checkpoint = moment->kept.mark->round;
    }
    return report;
}

}  // namespace anel

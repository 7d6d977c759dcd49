// How a FileLedger comes to stand on a folder: made or found, and checked.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "common/assert.hpp"
#include "ring/ledger/check_start.hpp"
#include "ring/ledger/file_ledger.hpp"
#include "ring/ledger/life_sign.hpp"

namespace anel {
namespace {

tl::unexpected<Error> unusable(std::string text) { return failure(ErrorCode::folder_unusable, std::move(text)); }

/// What stands in output.txt before a ledger is made: nothing, or what we were told to adopt.
Result<void> look_at_output(FileSystem& files, const Folders& folders, bool adopt, LedgerIdentity& identity) {
    auto output = Output::open(files, folders, false);
    if (!output) {
        return forward_error(output);
    }
    if (!*output) {
        return {};
    }
    auto size = (*output)->size();
    if (!size) {
        return forward_error(size);
    }
    if (*size == 0) {
        return {};
    }
    if (!adopt) {
        return unusable(fmt::format(
            "{} is not empty ({} bytes), and no ledger stands beside it: if its .anel was removed, put that "
            "back; else move it away, or start once with ANEL_ADOPT=true to go on behind it",
            (folders.path / Output::name).string(), *size));
    }
    std::array<std::byte, 1> last{};
    auto got = (*output)->read(last, *size - 1);
    if (!got) {
        return forward_error(got);
    }
    identity.adopted_bytes = *size;
    identity.base_offset = *size + (last[0] == std::byte{'\n'} ? 0 : 1);
    return {};
}

Result<void> make_ledger(FileSystem& files, Folders& folders, const LedgerOptions& options) {
    LedgerIdentity identity{.id = {}, .format = options.format, .output = {}, .file = {}, .nodes = options.nodes};
    if (auto remains = check_no_remains(files, folders); !remains) {
        return remains;
    }
    if (auto looked = look_at_output(files, folders, options.adopt, identity); !looked) {
        // Perhaps another node made the ledger, and wrote, since we looked for it.
        auto opened = open_inner_folders(files, folders);
        auto file = opened && *opened ? LedgerFile::open(files, folders, true) : std::optional<LedgerFile>{};
        return file && *file ? Result<void>{} : looked;
    }
    if (auto made = make_inner_folders(files, folders); !made) {
        return made;
    }
    if (auto fit = try_file_system(files, folders); !fit) {
        return fit;
    }
    if (auto made = Output::create(files, folders); !made) {
        return made;
    }
    auto output = Output::open(files, folders, true);
    if (!output) {
        return forward_error(output);
    }
    if (!*output) {
        return failure(ErrorCode::outside_hands, "output.txt was removed while the ledger was made");
    }
    identity.output = (*output)->identity();
    std::random_device random;
    while (identity.id.value == 0) {
        identity.id.value = (std::uint64_t{random()} << 32U) | random();
    }
    auto created = LedgerFile::create(files, folders, identity);
    return created ? Result<void>{} : forward_error(created);
}

/// The error of a full, read-only or foreign-owned folder, told as such.
Error as_of_folder(const Folders& folders, Error error) {
    if (error.code == ErrorCode::disk_full) {
        return explain(folders, std::move(error), ENOSPC);
    }
    if (error.code == ErrorCode::io_failed && error.text.ends_with(std::strerror(EACCES))) {
        return explain(folders, std::move(error), EACCES);
    }
    return error;
}

}  // namespace

Result<std::unique_ptr<FileLedger>> FileLedger::open(const LedgerOptions& options) {
    static FileSystem real;
    FileSystem& files = options.files != nullptr ? *options.files : real;
    ANEL_ASSERT(options.nodes.contains(options.self));
    auto folders = open_data_folder(options.folder, options.file_system);
    if (!folders) {
        return forward_error(folders);
    }
    if (auto alive = show_life(folders->data.get(), *folders); !alive) {
        return forward_error(alive);
    }
    const auto fail = [&](Error& error) { return tl::unexpected<Error>{as_of_folder(*folders, std::move(error))}; };
    auto inner = open_inner_folders(files, *folders);
    if (!inner) {
        return fail(inner.error());
    }
    Result<std::optional<LedgerFile>> file = std::optional<LedgerFile>{};
    if (*inner) {
        file = LedgerFile::open(files, *folders, true);
    }
    if (file && !*file) {
        if (auto made = make_ledger(files, *folders, options); !made) {
            return fail(made.error());
        }
        file = LedgerFile::open(files, *folders, true);
    } else if (file) {
        if (auto fit = try_file_system(files, *folders); !fit) {
            return fail(fit.error());
        }
    }
    if (!file) {
        return fail(file.error());
    }
    if (!*file) {
        return failure(ErrorCode::outside_hands, ".anel/ledger was removed while it was opened");
    }
    if (auto alive = show_life((*file)->fd(), *folders); !alive) {
        return forward_error(alive);
    }
    if (auto same = check_identity(options.folder, (*file)->identity(), options.nodes, options.format); !same) {
        return forward_error(same);
    }
    if (auto whole = check_inner_folders(files, *folders); !whole) {
        return forward_error(whole);
    }
    // Whoever made these entries may have died before its own fsync of the folders.
    for (const int folder : {folders->data.get(), folders->anel.get()}) {
        if (auto synced = fsync_folder(files, folder, "the data folder"); !synced) {
            return forward_error(synced);
        }
    }
    auto mark = newest_mark(files, *folders, (*file)->identity().id);
    auto output = mark ? Output::open(files, *folders, true) : forward_error(mark);
    if (!output) {
        return fail(output.error());
    }
    if (!*output) {
        return output_is_missing(*folders);
    }
    if (auto same = check_start(files, *folders, **file, *mark, **output); !same) {
        return forward_error(same);
    }
    auto boot = options.boot ? Result<BootId>{*options.boot} : this_boot();
    if (!boot) {
        return forward_error(boot);
    }
    std::unique_ptr<FileLedger> ledger{
        new FileLedger{files, std::move(*folders), std::move(**file), std::move(**output), *boot, options.rotation}};
    if (auto started = ledger->start(options); !started) {
        return forward_error(started);
    }
    return ledger;
}

Result<void> FileLedger::start(const LedgerOptions& options) {
    auto callback = options.durable ? options.durable : [](const tl::expected<Round, Error>&) {};
    sync_ = std::make_unique<SyncThread>(files_, std::move(callback), options.sync_took);
    auto own = Output::open(files_, folders_, true);
    if (!own) {
        return forward_error(own);
    }
    if (!*own) {
        return failure(ErrorCode::outside_hands, "output.txt was removed while it was opened");
    }
    if (auto found = follow(); !found) {
        return found;
    }
    // A file that is newer than the descriptor: opened first, like the one before, and then a look at what is decided.
    while ((*own)->place().file < output_.place().file) {
        if (auto known = (*own)->follow(output_.place()).and_then([this] { return follow(); }); !known) {
            return known;
        }
    }
    Round suspect;
    if (newest() != nullptr) {
        auto slots = newest()->slots();
        if (!slots) {
            return forward_error(slots);
        }
        suspect = {newest()->base_round().value + *slots + 1};
    }
    checkpoints_ = std::make_unique<CheckpointThread>(
        CheckpointThread::World{files_, folders_, file_.identity(), boot_, *sync_}, std::move(**own), suspect);
    return {};
}

}  // namespace anel

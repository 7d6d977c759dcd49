#include "ring/ledger/check_start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/checkpoint_file.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {
namespace {

std::string list_of(const std::set<NodeId>& nodes) {
    std::vector<std::uint64_t> numbers;
    numbers.reserve(nodes.size());
    for (const auto node : nodes) {
        numbers.push_back(node.value);
    }
    return fmt::format("{}", fmt::join(numbers, ","));
}
std::string name_of(OutputFormat format) { return format == OutputFormat::classic ? "classic" : "jsonl"; }

tl::unexpected<Error> touched(std::string text) { return failure(ErrorCode::outside_hands, std::move(text)); }

/// Up to where output.txt must have been written, and how it ends there.
struct Certain {
    std::uint64_t bytes = 0;
    std::uint64_t hashed_end = 0;
    std::optional<std::uint64_t> tail_hash;  ///< of the last 64 KiB before hashed_end
};

Certain certain_of(const LedgerIdentity& identity, const std::optional<CheckpointMark>& mark,
                   const std::optional<Adoption>& adoption) {
    if (adoption && (!mark || adoption->round >= mark->round)) {
        return {adoption->tail_end, adoption->output_end, adoption->tail_hash};
    }
    return mark ? Certain{mark->output_end, mark->output_end, mark->tail_hash}
                : Certain{identity.adopted_bytes, 0, std::nullopt};
}

Result<void> check_output(const Folders& folders, const Output& output, const Certain& certain) {
    const std::string where = (folders.path / Output::name).string();
    auto size = output.size();
    if (!size) {
        return forward_error(size);
    }
    if (*size < certain.bytes) {
        return touched(fmt::format("{} has {} bytes, {} are certain to have been written: it was shortened: {}", where,
                                   *size, certain.bytes, way_out::repair(folders.path)));
    }
    auto there = output.size_of(output.place_before(certain.hashed_end));
    if (!there || !*there) {
        // A finished file may be removed by who needs it no more.
        return there ? Result<void>{} : forward_error(there);
    }
    auto hash = certain.tail_hash ? output.tail_hash(certain.hashed_end) : Result<std::uint64_t>{0};
    if (!hash) {
        return forward_error(hash);
    }
    if (certain.tail_hash && *hash != *certain.tail_hash) {
        return touched(fmt::format("{} was changed somewhere in the {} bytes before byte {}: {}", where,
                                   std::min(certain.hashed_end, Output::tail_bytes), certain.hashed_end,
                                   way_out::repair(folders.path)));
    }
    return {};
}

}  // namespace

Result<void> check_files(const Folders& folders, const LedgerFile& file, const Output& output,
                         const std::optional<Adoption>& adoption) {
    const std::string where = folders.path.string();
    if (!same_file(file.present(), ledger_file_of(file.identity(), adoption))) {
        return touched(
            fmt::format("{}/.anel was copied or restored (.anel/ledger is another file than the one made "
                        "here): to go on with it, {}",
                        where, way_out::adopt(folders.path)));
    }
    auto finished = is_named(folders.data.get(), finished_name(output.place().file));
    if (!finished) {
        return forward_error(finished);
    }
    if (!same_file(output.identity(), output_of(file.identity(), adoption, output.place()))) {
        if (*finished) {
            return series_is_cut(folders.path);
        }
        return touched(
            fmt::format("{}/output.txt was replaced by another file: put the old file back, or, to go on with "
                        "this one, {}",
                        where, way_out::adopt(folders.path)));
    }
    return {};
}

Result<void> check_no_remains(FileSystem& files, const Folders& folders) {
    for (const auto& [folder, name] : {std::pair{&folders.journal, "journal"}, {&folders.checkpoint, "checkpoint"}}) {
        auto numbers = folder->valid() ? list_numbers(folder->get(), name) : std::vector<std::uint64_t>{};
        if (!numbers) {
            return forward_error(numbers);
        }
        // Perhaps another node made the ledger and these since we looked for it.
        auto file = numbers->empty() ? std::optional<LedgerFile>{} : LedgerFile::open(files, folders, true);
        if (!file) {
            return forward_error(file);
        }
        if (!numbers->empty() && !*file) {
            return failure(
                ErrorCode::ledger_damaged,
                fmt::format("{}/.anel/ledger is missing, but .anel/{} is there: {}; any copy of that file "
                            "will do (then anel repair --adopt {})",
                            folders.path.string(), name, way_out::put_back(folders.path), folders.path.string()));
        }
    }
    return {};
}

Result<void> check_inner_folders(FileSystem& files, Folders& folders) {
    // They are made before the ledger, but perhaps after we looked for them.
    auto again = open_inner_folders(files, folders);
    if (!again) {
        return forward_error(again);
    }
    for (const auto& [folder, name] : {std::pair{&folders.journal, "journal"}, {&folders.checkpoint, "checkpoint"}}) {
        if (!folder->valid()) {
            return failure(ErrorCode::ledger_damaged, fmt::format("{}/.anel/{} is missing: {}", folders.path.string(),
                                                                  name, way_out::put_back(folders.path)));
        }
    }
    return {};
}

Result<void> check_start(FileSystem& files, const Folders& folders, const LedgerFile& file,
                         const std::optional<CheckpointMark>& mark, const Output& output) {
    // Whoever adopts has no node beside it, so it does not matter when this is read.
    auto adoption = newest_adoption(files, folders, file.identity().id);
    if (!adoption) {
        return forward_error(adoption);
    }
    if (auto same = check_files(folders, file, output, *adoption); !same) {
        return same;
    }
    if (auto whole = check_output(folders, output, certain_of(file.identity(), mark, *adoption)); !whole) {
        return whole;
    }
    const std::uint64_t finished = mark ? mark->output_end / block_bytes : 0;
    auto sums = count_block_sums(files, folders);
    if (!sums) {
        return forward_error(sums);
    }
    if (*sums < finished) {
        return failure(
            ErrorCode::ledger_damaged,
            fmt::format("{}/.anel/blocks has checksums of {} MiB of output.txt, {} are finished: put it back, or "
                        "{}",
                        folders.path.string(), *sums, finished, way_out::adopt(folders.path)));
    }
    return {};
}

Result<void> check_identity(const std::filesystem::path& folder, const LedgerIdentity& identity,
                            const std::set<NodeId>& nodes, OutputFormat format) {
    const auto other = [&](std::string text) { return failure(ErrorCode::folder_unusable, std::move(text)); };
    if (identity.nodes != nodes) {
        return other(
            fmt::format("the ledger in {} is of the nodes {}, this one is configured with {}: use the same "
                        "list on every node, or another data folder",
                        folder.string(), list_of(identity.nodes), list_of(nodes)));
    }
    if (identity.format != format) {
        return other(
            fmt::format("the ledger in {} has output format {}, this node is configured with {}: use that "
                        "one, or another data folder",
                        folder.string(), name_of(identity.format), name_of(format)));
    }
    return {};
}

tl::unexpected<Error> output_is_missing(const Folders& folders) {
    return touched(fmt::format("{} is missing, but its ledger is there: put it back, or {}",
                               (folders.path / Output::name).string(), way_out::adopt(folders.path)));
}

}  // namespace anel

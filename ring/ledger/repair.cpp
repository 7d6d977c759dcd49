#include "ring/ledger/repair.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "ring/ledger/check_start.hpp"
#include "ring/ledger/life_sign.hpp"
#include "ring/ledger/repairer.hpp"

namespace anel {

Repairer::Repairer(const RepairOptions& options, const LedgerPlace& place, std::optional<Output>& output)
    : options_{options}, place_{place}, output_{output} {
    if (output_) {
        audit_.emplace(*output_);
    }
}

Result<RepairReport> Repairer::run() {
    return look_at_files()
        .and_then([this] { return walk_journal(); })
        .and_then([this] { return look_below(); })
        .and_then([this] { return look_behind(); })
        .and_then([this] { return adopt(); })
        .and_then([this] { return write(); })
        .map([this] { return std::move(report_); });
}

bool Repairer::may_write() const {
    const bool ours = !report_.output_missing && !report_.output_replaced && !report_.ledger_copied;
    return !options_.dry_run && ((ours && report_.lost.empty()) || report_.adoption);
}

Result<void> Repairer::write() {
    if (!may_write() || (report_.rewritten.empty() && !report_.adoption)) {
        return {};
    }
    for (const auto& piece : pieces_) {
        auto filled = piece.blank ? output_->write_filler(piece.range.begin, piece.range.end) : Result<void>{};
        if (!filled) {
            return filled;
        }
    }
    writing_ = true;
    audit_.emplace(*output_);
    return walk().and_then([this] { return output_->make_durable(kept_from_); });
}

namespace {

Result<std::optional<Output>> open_output(FileSystem& files, const Folders& folders, const RepairOptions& options) {
    auto output = Output::open(files, folders, !options.dry_run);
    if (!output || *output || options.dry_run || options.mode != RepairMode::adopt) {
        return output;
    }
    if (auto made = Output::create(files, folders); !made) {
        return forward_error(made);
    }
    return Output::open(files, folders, true);
}

}  // namespace

Result<RepairReport> repair(const RepairOptions& options) {
    static FileSystem real;
    FileSystem& files = options.files != nullptr ? *options.files : real;
    auto folders =
        options.dry_run ? open_folder_to_read(options.folder) : open_data_folder(options.folder, std::nullopt);
    auto inner = folders ? open_inner_folders(files, *folders) : Result<bool>{false};
    if (!folders || !inner) {
        return folders ? forward_error(inner) : forward_error(folders);
    }
    if (auto alone = options.dry_run ? Result<void>{} : be_alone(folders->data.get(), *folders); !alone) {
        return forward_error(alone);
    }
    auto file = *inner ? LedgerFile::open(files, *folders, !options.dry_run) : std::optional<LedgerFile>{};
    if (!file) {
        return forward_error(file);
    }
    if (!*file) {
        auto remains = check_no_remains(files, *folders);
        return remains ? failure(ErrorCode::folder_unusable,
                                 fmt::format("there is no ledger in {}: nothing to repair", options.folder.string()))
                       : forward_error(remains);
    }
    if (auto alone = options.dry_run ? Result<void>{} : be_alone((*file)->fd(), *folders); !alone) {
        return forward_error(alone);
    }
    auto boot = options.boot ? Result<BootId>{*options.boot} : this_boot();
    auto whole = check_inner_folders(files, *folders);
    if (!boot || !whole) {
        return boot ? forward_error(whole) : forward_error(boot);
    }
    const bool missing = ::faccessat(folders->data.get(), Output::name, F_OK, 0) != 0;
    auto output = open_output(files, *folders, options);
    if (!output) {
        return forward_error(output);
    }
    auto report = Repairer{options, {files, *folders, **file, *boot}, *output}.run();
    if (report) {
        report->output_missing = missing;
    }
    return report;
}

}  // namespace anel

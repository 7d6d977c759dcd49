#include "ring/ledger/opened_ledger.hpp"

#include <fmt/format.h>

#include "ring/ledger/check_start.hpp"

namespace anel {

Result<OpenedLedger> open_to_look(FileSystem& files, const std::filesystem::path& folder) {
    auto folders = open_folder_to_read(folder);
    auto inner = folders ? open_inner_folders(files, *folders) : Result<bool>{false};
    auto file = folders && inner && *inner ? LedgerFile::open(files, *folders, false) : std::optional<LedgerFile>{};
    auto boot = this_boot();
    if (!folders || !inner || !file || !boot) {
        return !folders ? forward_error(folders)
               : !inner ? forward_error(inner)
               : !file  ? forward_error(file)
                        : forward_error(boot);
    }
    if (!*file) {
        auto remains = check_no_remains(files, *folders);
        return remains ? failure(ErrorCode::folder_unusable, fmt::format("there is no ledger in {}", folder.string()))
                       : forward_error(remains);
    }
    if (auto whole = check_inner_folders(files, *folders); !whole) {
        return forward_error(whole);
    }
    auto mark = newest_mark(files, *folders, (*file)->identity().id);
    auto output = mark ? Output::open(files, *folders, false) : forward_error(mark);
    if (!output || !*output) {
        return output ? output_is_missing(*folders) : forward_error(output);
    }
    return OpenedLedger{std::move(*folders), std::move(**file), std::move(*mark), std::move(**output), *boot};
}

}  // namespace anel

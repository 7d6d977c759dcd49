#include "ring/ledger/audit_output.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/crc32c.hpp"

namespace anel {

Result<std::optional<std::uint64_t>> OutputAudit::first_difference(std::string_view text, std::uint64_t offset) {
    found_.resize(text.size());
    auto got = output_.read(found_, offset);
    if (!got) {
        return forward_error(got);
    }
    const std::string_view stands = as_text(BytesView{found_}.first(*got));
    if (stands == text) {
        return std::optional<std::uint64_t>{};
    }
    const auto where = std::mismatch(stands.begin(), stands.end(), text.begin(), text.end());
    return std::optional{offset + static_cast<std::uint64_t>(where.first - stands.begin())};
}

Result<std::optional<std::string>> OutputAudit::fault_in_blocks(FileSystem& files, const Folders& folders,
                                                                const CheckpointMark* mark) {
    const std::uint64_t end = mark != nullptr ? mark->output_end : 0;
    auto sums = read_block_sums(files, folders, end / block_bytes);
    if (!sums) {
        return forward_error(sums);
    }
    sums->push_back(mark != nullptr ? mark->block_crc : 0);
    for (std::uint64_t block = 0; block < sums->size(); ++block) {
        const std::uint64_t begin = block * block_bytes;
        found_.resize(std::min(block_bytes, end - begin));
        auto got = output_.read(found_, begin);
        if (!got) {
            return forward_error(got);
        }
        if (*got < found_.size() || crc32c(found_) != (*sums)[block]) {
            return std::optional{fmt::format("output.txt differs somewhere in bytes {} to {} (checksum of the MiB)",
                                             begin, begin + found_.size())};
        }
    }
    return std::optional<std::string>{};
}

}  // namespace anel

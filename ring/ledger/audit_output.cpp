#include "ring/ledger/audit_output.hpp"

#include <algorithm>

#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/crc32c.hpp"

namespace anel {
namespace {

bool overlaps(const std::vector<AdoptedPiece>& pieces, const ByteRange& block) {
    const auto behind =
        std::upper_bound(pieces.begin(), pieces.end(), block.begin,
                         [](std::uint64_t at, const AdoptedPiece& piece) { return at < piece.range.end; });
    return behind != pieces.end() && behind->range.begin < block.end;
}

}  // namespace

Result<std::optional<ByteRange>> OutputAudit::difference(std::string_view text, std::uint64_t offset) {
    auto found = ahead_.get(output_.fd(), offset, text.size(), Output::name);
    if (found && as_text(*found) != text) {
        ahead_.forget();  // it may have been written since it was read
        found = ahead_.get(output_.fd(), offset, text.size(), Output::name);
    }
    if (!found) {
        return forward_error(found);
    }
    const std::string_view stands = as_text(*found);
    if (stands == text) {
        return std::optional<ByteRange>{};
    }
    const auto first = std::mismatch(stands.begin(), stands.end(), text.begin(), text.end()).second;
    auto last = text.end();
    if (stands.size() == text.size()) {
        last = std::mismatch(stands.rbegin(), stands.rend(), text.rbegin()).second.base();
    }
    return std::optional{ByteRange{offset + static_cast<std::uint64_t>(first - text.begin()),
                                   offset + static_cast<std::uint64_t>(last - text.begin())}};
}

Result<std::optional<std::uint32_t>> OutputAudit::crc_of(const ByteRange& range, const Overlay& overlay) {
    std::uint32_t crc = 0;
    for (std::uint64_t begin = range.begin; begin < range.end;) {
        const std::uint64_t end = std::min(range.end, begin + block_bytes);
        part_.resize(end - begin);
        auto got = output_.read(part_, begin);
        if (!got) {
            return forward_error(got);
        }
        const std::uint64_t from = std::max(begin, overlay.begin);
        const std::uint64_t to = std::min(end, overlay.begin + overlay.bytes.size());
        const std::uint64_t there = begin + *got;
        if (there < end && (from > there || to < end)) {
            return std::optional<std::uint32_t>{};
        }
        if (from < to) {
            std::memcpy(part_.data() + (from - begin), overlay.bytes.data() + (from - overlay.begin), to - from);
        }
        crc = crc32c(part_, crc);
        begin = end;
    }
    return std::optional{crc};
}

Result<bool> OutputAudit::has_tail(const Adoption& adoption) {
    auto crc = adoption.tail_crc ? crc_of(adoption.tail(), {}) : Result<std::optional<std::uint32_t>>{std::nullopt};
    return crc ? Result<bool>{*crc == adoption.tail_crc} : forward_error(crc);
}

Result<BlocksAudit> OutputAudit::check_blocks(FileSystem& files, const Folders& folders, std::uint64_t end,
                                              std::uint32_t partial_crc, const std::optional<Adoption>& adoption,
                                              const Overlay& overlay) {
    static const std::vector<AdoptedPiece> none;
    const auto& pieces = adoption ? adoption->pieces : none;
    BlocksAudit found;
    const std::uint64_t finished = end / block_bytes;
    auto sums = read_block_sums(files, folders, finished);
    if (!sums) {
        return forward_error(sums);
    }
    if (sums->size() < finished) {
        found.sums_end = sums->size() * block_bytes;
    }
    for (std::uint64_t block = 0; block * block_bytes < end; ++block) {
        const ByteRange range{block * block_bytes, std::min((block + 1) * block_bytes, end)};
        if (overlaps(pieces, range)) {
            continue;
        }
        const bool known = block == finished || block < sums->size();
        auto crc = known ? crc_of(range, overlay) : std::optional<std::uint32_t>{};
        if (!crc) {
            return forward_error(crc);
        }
        if (*crc != std::optional{block == finished ? partial_crc : known ? (*sums)[block] : 0U}) {
            add_range(found.faults, range);
        }
    }
    for (const auto& piece : pieces) {
        auto crc = crc_of(piece.range, {});
        if (!crc) {
            return forward_error(crc);
        }
        (*crc == piece.crc ? found.adopted : found.changed_pieces).push_back(piece);
    }
    return found;
}

}  // namespace anel

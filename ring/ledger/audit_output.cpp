#include "ring/ledger/audit_output.hpp"

#include <fmt/format.h>

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
    auto found = ahead_.get(read_, offset, text.size());
    if (found && as_text(*found) != text) {
        ahead_.forget();  // it may have been written since it was read
        found = ahead_.get(read_, offset, text.size());
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

Result<SeriesAudit> OutputAudit::check_series() const {
    SeriesAudit found;
    for (const auto& place : output_.places()) {
        auto size = place.file < output_.place().file ? output_.size_of(place) : std::optional<std::uint64_t>{};
        if (!size) {
            return forward_error(size);
        }
        if (place.file == output_.place().file) {
            break;
        }
        const auto name = finished_name(place.file);
        const std::uint64_t bytes = output_.end_of(place.file) - place.base;
        if (!*size && found.files == 1) {
            ++found.removed_files;
            found.removed_bytes += bytes;
        } else if (!*size) {
            found.missing =
                fmt::format("{} is missing between others: put it back, or remove those before it too", name);
        } else {
            ++found.files;
        }
        // Shorter it may be where a power cut is not recovered from; its bytes are compared as well.
        if (*size && **size > bytes) {
            found.longer = fmt::format("{} has {} bytes, the ring wrote {}: cut off what is behind (truncate -s {} {})",
                                       name, **size, bytes, bytes, name);
        }
    }
    return found;
}

Result<std::optional<std::uint32_t>> OutputAudit::front_crc(FileSystem& files, const Folders& folders,
                                                            std::uint64_t begin) {
    if (begin % block_bytes == 0) {
        return std::optional{std::uint32_t{0}};
    }
    const auto first = std::find_if(output_.places().begin(), output_.places().end(),
                                    [&](const OutputPlace& place) { return place.base == begin; });
    return read_series_front(files, folders.anel.get(), first->file);
}

Result<std::optional<std::uint32_t>> OutputAudit::crc_of(const ByteRange& range, const Overlay& overlay) {
    return crc_of(range, overlay, 0);
}

Result<std::optional<std::uint32_t>> OutputAudit::crc_of(const ByteRange& range, const Overlay& overlay,
                                                         std::uint32_t crc) {
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
    auto kept_from = output_.begin();
    auto front = kept_from ? front_crc(files, folders, *kept_from) : forward_error(kept_from);
    if (!front) {
        return forward_error(front);
    }
    for (std::uint64_t block = *kept_from / block_bytes; block * block_bytes < end; ++block) {
        const ByteRange range{std::max(block * block_bytes, *kept_from), std::min((block + 1) * block_bytes, end)};
        const auto before = range.begin == block * block_bytes ? std::optional{std::uint32_t{0}} : *front;
        if (overlaps(pieces, range) || range.begin >= range.end || !before) {
            continue;
        }
        const bool known = block == finished || block < sums->size();
        auto crc = known ? crc_of(range, overlay, *before) : std::optional<std::uint32_t>{};
        if (!crc) {
            return forward_error(crc);
        }
        if (*crc != std::optional{block == finished ? partial_crc : known ? (*sums)[block] : 0U}) {
            add_range(found.faults, range);
        }
    }
    for (const auto& piece : pieces) {
        if (piece.range.begin < *kept_from) {
            found.adopted.push_back(piece);  // it stays known, for when the file is put back
            continue;
        }
        auto crc = crc_of(piece.range, {});
        if (!crc) {
            return forward_error(crc);
        }
        (*crc == piece.crc ? found.adopted : found.changed_pieces).push_back(piece);
    }
    return found;
}

}  // namespace anel

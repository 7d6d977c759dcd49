// Accepting what cannot be restored: one file that is linked once, and everything durable before it.
#include <algorithm>
#include <array>
#include <cerrno>

#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/repairer.hpp"

namespace anel {

Result<void> Repairer::adopt() {
    if (options_.mode != RepairMode::adopt || !report_.needs_adoption()) {
        return {};
    }
    report_.adoption = previous_ ? previous_->number + 1 : 1;
    if (options_.dry_run) {
        return {};
    }
    if (auto made = make_pieces(); !made) {
        return made;
    }
    Adoption adoption{.number = *report_.adoption,
                      .ledger_file = place_.file.present(),
                      .output = output_->identity(),
                      .round = at_.round,
                      .segment = kept_.newest,
                      .output_end = at_.output_end,
                      .tail_hash = 0,
                      .tail_end = 0,
                      .base_offset = 0,
                      .pieces = pieces_};
    auto hash = tail_hash();
    if (!hash) {
        return forward_error(hash);
    }
    adoption.tail_hash = *hash;
    if (auto set = set_tail(adoption); !set) {
        return set;
    }
    return link(adoption);
}

Result<void> Repairer::make_pieces() {
    for (const auto* ranges : {&report_.changed, &report_.unchecked}) {
        for (const auto& range : *ranges) {
            for (std::uint64_t begin = range.begin; begin < range.end;) {
                const std::uint64_t end = std::min(range.end, (begin / block_bytes + 1) * block_bytes);
                auto crc = audit_->crc_of({begin, end}, {});
                if (!crc) {
                    return forward_error(crc);
                }
                if (!*crc) {
                    return failure(ErrorCode::outside_hands, "output.txt was shortened while it was repaired");
                }
                pieces_.push_back({{begin, end}, **crc, false});
                begin = end;
            }
        }
    }
    for (const auto& range : report_.lost) {
        std::uint32_t crc = 0;
        auto summed = for_each_filler(range.begin, range.end, [&](std::string_view part, std::uint64_t) {
            crc = crc32c(as_bytes(part), crc);
            return Result<void>{};
        });
        if (!summed) {
            return summed;
        }
        pieces_.push_back({range, crc, true});
    }
    std::sort(pieces_.begin(), pieces_.end(),
              [](const auto& left, const auto& right) { return left.range.begin < right.range.begin; });
    return {};
}

Result<std::uint64_t> Repairer::tail_hash() {
    Bytes tail(std::min(at_.output_end, Output::tail_bytes));
    const std::uint64_t begin = at_.output_end - tail.size();
    if (auto got = output_->read(tail, begin); !got) {
        return forward_error(got);
    }
    const auto set = [&](std::uint64_t from, std::uint64_t to, const auto& byte_at) {
        to = std::min(to, at_.output_end);
        for (std::uint64_t at = std::max(from, begin); at < to; ++at) {
            tail[at - begin] = byte_at(at);
        }
    };
    for (const auto& piece : pieces_) {
        if (piece.blank) {
            set(piece.range.begin, piece.range.end,
                [&](std::uint64_t at) { return at + 1 == piece.range.end ? std::byte{'\n'} : std::byte{' '}; });
        }
    }
    set(tail_.begin, tail_.begin + tail_.bytes.size(), [&](std::uint64_t at) { return tail_.bytes[at - tail_.begin]; });
    return Output::hash_of_tail(tail);
}

Result<void> Repairer::set_tail(Adoption& adoption) {
    const auto& identity = place_.file.identity();
    adoption.tail_end = at_.output_end;
    adoption.base_offset = kept_.newest.value != 0 ? at_.output_end : identity.base_offset;
    const bool restored = report_.ledger_copied || report_.output_replaced;
    if (!report_.behind || !restored) {
        return {};
    }
    std::array<std::byte, 1> last{};
    if (auto got = output_->read(last, report_.behind->end - 1); !got) {
        return forward_error(got);
    }
    adoption.tail_end = report_.behind->end;
    adoption.base_offset = adoption.tail_end + (last[0] == std::byte{'\n'} ? 0 : 1);
    return {};
}

Result<void> Repairer::link(const Adoption& adoption) {
    const std::uint64_t finished = kept_.mark ? kept_.mark->output_end / block_bytes : 0;
    if (auto extended = extend_block_sums(place_.files, place_.folders, finished); !extended) {
        return extended;
    }
    // Whoever copied the folder has synced nothing, and its words already say "durable".
    if (place_.files.sync_all(place_.folders.data.get()) != 0) {
        return sync_failure("the data folder", errno);
    }
    auto written = write_adoption(place_.files, place_.folders, place_.id(), adoption);
    if (!written) {
        return forward_error(written);
    }
    if (!*written) {
        return failure(ErrorCode::io_failed, "another repair was first: run it again");
    }
    return {};
}

}  // namespace anel

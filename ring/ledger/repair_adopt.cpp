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
                      .tail_crc = {},
                      .base_offset = 0,
                      .pieces = pieces_};
    auto hash = tail_hash();
    if (!hash) {
        return forward_error(hash);
    }
    adoption.tail_hash = *hash;
    return set_tail(adoption).and_then([this] { return seal_newest(); }).and_then([&] { return link(adoption); });
}

Result<void> Repairer::make_pieces() {
    for (const auto* ranges : {&report_.changed, &report_.unchecked}) {
        for (const auto& range : *ranges) {
            // What stands behind the last round has a checksum of its own.
            for (std::uint64_t begin = range.begin; begin < range.end && begin < at_.output_end;) {
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
    Bytes tail(std::min(at_.output_end - output_->place_before(at_.output_end).base, Output::tail_bytes));
    const std::uint64_t begin = at_.output_end - tail.size();
    if (auto got = output_->read(tail, begin); !got) {
        return forward_error(got);
    }
    blank_out(tail, begin);
    const std::uint64_t end = std::min(tail_.begin + tail_.bytes.size(), at_.output_end);
    for (std::uint64_t at = std::max(tail_.begin, begin); at < end; ++at) {
        tail[at - begin] = tail_.bytes[at - tail_.begin];
    }
    return Output::hash_of_tail(tail);
}

void Repairer::blank_out(std::span<std::byte> bytes, std::uint64_t begin) const {
    for (const auto& [range, crc, blank] : pieces_) {
        const std::uint64_t end = std::min(range.end, begin + bytes.size());
        for (std::uint64_t at = std::max(range.begin, begin); blank && at < end; ++at) {
            bytes[at - begin] = at + 1 == range.end ? std::byte{'\n'} : std::byte{' '};
        }
    }
}

Result<std::uint32_t> Repairer::crc_as_it_will_be(const ByteRange& range) {
    std::uint32_t crc = 0;
    Bytes part;
    for (std::uint64_t begin = range.begin; begin < range.end; begin += part.size()) {
        part.assign(std::min(range.end - begin, block_bytes), std::byte{0});
        if (auto got = output_ ? output_->read(part, begin) : Result<std::size_t>{0}; !got) {
            return forward_error(got);
        }
        blank_out(part, begin);
        crc = crc32c(part, crc);
    }
    return crc;
}

Result<void> Repairer::set_tail(Adoption& adoption) {
    const auto& identity = place_.file.identity();
    adoption.tail_end = at_.output_end;
    adoption.base_offset = kept_.newest.value != 0 ? at_.output_end : identity.base_offset;
    if (report_.kept_tail) {
        adoption.tail_end = report_.kept_tail->end;
        adoption.base_offset = previous_->base_offset;
    }
    if (report_.behind && report_.restored()) {
        adoption.tail_end = std::max(adoption.tail_end, report_.behind->end);
    }
    auto crc = crc_as_it_will_be(adoption.tail());
    if (crc && adoption.tail_end == at_.output_end) {
        adoption.tail_crc = *crc;
        return {};
    }
    std::array<std::byte, 1> last{};
    auto got = output_->read(last, adoption.tail_end - 1);
    if (!crc || !got) {
        return crc ? forward_error(got) : forward_error(crc);
    }
    blank_out(last, adoption.tail_end - 1);
    adoption.tail_crc = *crc;
    adoption.base_offset = std::max(adoption.base_offset, adoption.tail_end + (last[0] == std::byte{'\n'} ? 0 : 1));
    return {};
}

Result<void> Repairer::seal_newest() {
    if (kept_.newest.value == 0) {
        return {};
    }
    auto segment =
        open_kept_segment(place_.files, place_.folders, kept_.newest, place_.id(), place_.boot, Access::write);
    if (!segment || !*segment) {
        return segment ? missing_segment(place_.folders, kept_.newest) : forward_error(segment);
    }
    if ((*segment)->foreign()) {
        return {};  // nobody decides there any more
    }
    auto slots = (*segment)->seal().and_then([&] { return (*segment)->slots(); });
    if (!slots) {
        return forward_error(slots);
    }
    if (*slots != at_.slots) {
        return failure(ErrorCode::io_failed,
                       "a node went on while the ledger was repaired: stop it and run this again");
    }
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

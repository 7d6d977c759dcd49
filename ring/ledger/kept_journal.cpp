#include "ring/ledger/kept_journal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ring/ledger/ways_out.hpp"

namespace anel {

tl::unexpected<Error> missing_segment(const Folders& folders, SegmentNumber number) {
    return failure(ErrorCode::ledger_damaged,
                   fmt::format("{}/.anel/journal/{} is missing, and no checkpoint covers it: {}", folders.path.string(),
                               number.value, way_out::put_back(folders.path)));
}

Result<KeptJournal> find_kept_journal(const LedgerPlace& place) {
    const Folders& folders = place.folders;
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const SegmentNumber named = place.file.named_segment();  // read before the listing, which must have it
        auto mark = newest_mark(place.files, folders, place.id());
        auto numbers = list_numbers(folders.journal.get(), ".anel/journal");
        if (!mark || !numbers) {
            return mark ? forward_error(numbers) : forward_error(mark);
        }
        KeptJournal kept{.mark = *mark, .lowest = {}, .newest = {}};
        const std::uint64_t needed = *mark ? (*mark)->segment.value : 1;
        const std::uint64_t newest = numbers->empty() ? 0 : numbers->back();
        if (newest < std::max(named.value, *mark ? needed : 0)) {
            return missing_segment(folders, {std::max(named.value, needed)});
        }
        if (newest == 0) {
            return kept;
        }
        // Lower ones than the checkpoint needs are being trimmed, or a sleeper's that count for nothing.
        std::uint64_t lowest = newest;
        while (lowest > needed && std::binary_search(numbers->begin(), numbers->end(), lowest - 1)) {
            --lowest;
        }
        kept.lowest = {lowest};
        kept.newest = {newest};
        if (lowest <= needed) {
            return kept;
        }
        auto now = newest_mark(place.files, folders, place.id());
        if (!now) {
            return forward_error(now);
        }
        if (*now == *mark && !*mark && numbers->front() == lowest) {
            return failure(ErrorCode::ledger_damaged,
                           fmt::format("the journal in {} begins with segment {}, and .anel/checkpoint has no valid "
                                       "checkpoint that covers what was before: {}",
                                       folders.path.string(), lowest, way_out::put_back(folders.path)));
        }
        if (*now == *mark) {
            return missing_segment(folders, {lowest - 1});
        }
    }
    return failure(ErrorCode::io_failed, "the journal is trimmed faster than it can be read; try again");
}

Result<std::unique_ptr<Segment>> JournalWalk::open(SegmentNumber number) const {
    auto opened = open_kept_segment(place_.files, place_.folders, number, place_.id(), place_.boot, Access::read);
    if (opened && !*opened) {
        return failure(ErrorCode::fenced, fmt::format("segment {} was trimmed meanwhile", number.value));
    }
    return opened;
}

Result<Segment*> JournalWalk::next() {
    if (next_ > newest_) {
        return nullptr;
    }
    segment_ = std::exchange(successor_, nullptr);
    for (auto* into : {&segment_, &successor_}) {
        const SegmentNumber wanted = into == &segment_ ? next_ : next_.next();
        if (*into || wanted > newest_) {
            continue;
        }
        auto opened = open(wanted);
        if (!opened) {
            return forward_error(opened);
        }
        *into = std::move(*opened);
    }
    if (successor_) {
        segment_->set_final_slots(successor_->header().previous_slots);
    }
    next_ = next_.next();
    return segment_.get();
}

}  // namespace anel

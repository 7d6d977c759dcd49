// Reading what was decided: a checkpoint where the journal does not reach back so far, then record after record.
#include <fmt/format.h>

#include <algorithm>

#include "common/assert.hpp"
#include "ring/ledger/file_ledger.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {

tl::unexpected<Error> FileLedger::lost_behind(Round round) const {
    // The part that is missing, where a look at the folder still shows it.
    auto kept = find_kept_journal(place());
    if (!kept) {
        return forward_error(kept);
    }
    return failure(ErrorCode::ledger_damaged,
                   fmt::format("the journal in {} behind round {} is missing, and no checkpoint covers it: {}",
                               folders_.path.string(), round.value, way_out::put_back(folders_.path)));
}

Result<History> FileLedger::read(Round applied) {
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        History history;
        if (auto found = follow(); !found) {
            return forward_error(found);
        }
        if (newest() == nullptr) {
            return history;
        }
        Round from = applied;
        // A node that starts takes the checkpoint even where the journal has it all: it is shorter.
        auto lowest = applied.value == 0 ? Result<std::optional<SegmentNumber>>{} : segment_behind(applied);
        if (!lowest) {
            return forward_error(lowest);
        }
        if (!*lowest) {
            auto checkpoint = newest_checkpoint(files_, folders_, id());
            if (!checkpoint) {
                return forward_error(checkpoint);
            }
            if (*checkpoint && (*checkpoint)->mark.round > applied) {
                from = (*checkpoint)->mark.round;
                lowest = (*checkpoint)->mark.segment;
                history.snapshot = std::move((*checkpoint)->snapshot);
            } else if (applied.value == 0) {
                lowest = SegmentNumber{1};
            } else {
                return lost_behind(applied);
            }
        }
        if (**lowest > newest()->number()) {
            continue;  // we slept since we looked for the newest: it is sealed by now
        }
        auto read = read_rounds(from, **lowest, history);
        if (!read) {
            return forward_error(read);
        }
        if (*read) {
            return history;
        }
        // A segment vanished under us: whoever trimmed it linked a newer checkpoint before. Else it is lost.
        auto mark = newest_mark(files_, folders_, id());
        if (!mark) {
            return forward_error(mark);
        }
        if (!*mark || (*mark)->segment <= **lowest) {
            return lost_behind(from);
        }
    }
    return failure(ErrorCode::io_failed, "the journal is trimmed faster than it can be read");
}

Result<std::optional<SegmentNumber>> FileLedger::segment_behind(Round applied) {
    auto mark = newest_mark(files_, folders_, id());
    if (!mark) {
        return forward_error(mark);
    }
    const SegmentNumber kept = *mark ? (*mark)->segment : SegmentNumber{1};
    for (SegmentNumber number = newest()->number(); number >= kept; --number.value) {
        const auto known = segments_.find(number);
        if (known != segments_.end()) {
            if (known->second->base_round() <= applied) {
                return std::optional{number};
            }
            continue;
        }
        auto segment = open_kept_segment(files_, folders_, number, id(), boot_, Access::read);
        if (!segment) {
            return forward_error(segment);
        }
        if (!*segment) {
            break;
        }
        if ((*segment)->base_round() <= applied) {
            return std::optional{number};
        }
    }
    return std::optional<SegmentNumber>{};
}

Result<bool> FileLedger::read_rounds(Round applied, SegmentNumber from, History& history) {
    const SegmentNumber last = newest()->number();
    std::unique_ptr<Segment> opened;
    std::unique_ptr<Segment> successor;
    for (SegmentNumber number = from; number <= last; number = number.next()) {
        const auto known = segments_.find(number);
        if (known != segments_.end()) {
            if (auto read = read_segment(*known->second, applied, history); !read) {
                return forward_error(read);
            }
            continue;
        }
        opened = std::exchange(successor, nullptr);
        const auto open = [&](SegmentNumber wanted) {
            return open_kept_segment(files_, folders_, wanted, id(), boot_, Access::read);
        };
        if (!opened) {
            auto segment = open(number);
            if (!segment) {
                return forward_error(segment);
            }
            opened = std::move(*segment);
        }
        auto next = open(number.next());
        if (!next) {
            return forward_error(next);
        }
        if (!opened || !*next) {
            return false;
        }
        successor = std::move(*next);
        opened->set_final_slots(successor->header().previous_slots);
        if (auto read = read_segment(*opened, applied, history); !read) {
            return forward_error(read);
        }
    }
    if (history.tip.round < applied) {
        return failure(ErrorCode::outside_hands,
                       fmt::format("the ledger ends with round {}, but round {} was seen: it was exchanged or restored "
                                   "while the ring ran",
                                   history.tip.round.value, applied.value));
    }
    return true;
}

Result<void> FileLedger::read_segment(Segment& segment, Round applied, History& history) {
    auto slots = segment.slots();
    if (!slots) {
        return forward_error(slots);
    }
    const std::uint64_t base = segment.base_round().value;
    if (!history.rounds.empty()) {
        ANEL_ASSERT(history.rounds.back().round == segment.base_round());
    }
    for (std::uint64_t slot = std::max(applied.value, base) - base + 1; slot <= *slots; ++slot) {
        auto record = segment.read(slot, buffer_);
        if (!record) {
            return forward_error(record);
        }
        history.rounds.push_back({.segment = segment.number(),
                                  .round = {record->header.round},
                                  .first = {record->header.first},
                                  .count = record->header.count,
                                  .wall_us = record->header.wall_us,
                                  .output_bytes = record->header.text_bytes,
                                  .changes = std::move(record->changes)});
    }
    auto end = segment.position_at(*slots);
    if (!end) {
        return forward_error(end);
    }
    history.tip = {.segment = segment.number(),
                   .epoch = segment.epoch(),
                   .round = end->round,
                   .sequence = end->sequence,
                   .wall_us = end->wall_us};
    return {};
}

}  // namespace anel

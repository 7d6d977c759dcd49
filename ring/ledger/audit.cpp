#include "ring/ledger/audit.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "ring/ledger/audit_output.hpp"
#include "ring/ledger/audit_sessions.hpp"
#include "ring/ledger/check_start.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {
namespace {

/// One look at the ledger. Each step returns false when it ends with a difference.
class Auditor {
public:
    Auditor(const LedgerPlace& place, Output& output, AuditScope scope)
        : scope_{scope}, place_{place}, output_{output} {}

    /// An error: what could not be read; `fenced` when the journal was trimmed under it: then a new look is taken.
    Result<bool> look() {
        const auto& identity = place_.file.identity();
        report_.adopted_bytes = identity.adopted_bytes;
        auto adoptions = read_adoptions(place_.files, place_.folders, place_.id());
        if (!adoptions) {
            return forward_error(adoptions);
        }
        adoptions_ = std::move(*adoptions);
        if (auto same = check_files(place_.folders, place_.file, output_.file(), adoption()); !same) {
            return differs(std::move(same.error().text));
        }
        auto kept = find_kept_journal(place_);
        auto checkpoint = newest_checkpoint(place_.files, place_.folders, place_.id());
        if (!kept || !checkpoint) {
            return kept ? forward_error(checkpoint) : forward_error(kept);
        }
        checkpoint_ = std::move(*checkpoint);
        if (checkpoint_ ? !kept->mark || checkpoint_->mark != *kept->mark : kept->mark.has_value()) {
            return failure(ErrorCode::fenced, "another checkpoint was made meanwhile");
        }
        if (checkpoint_) {
            report_.checkpoint = checkpoint_->mark.round;
        }
        if (auto known = follow_output(kept->newest); !known) {
            return forward_error(known);
        }
        if (kept->newest.value == 0) {
            report_.output_bytes = identity.base_offset;
            at_.output_end = identity.adopted_bytes;
            return check_tail({});
        }
        auto walked = scope_ == AuditScope::all ? check_series() : Result<bool>{true};
        if (walked && *walked) {
            walked = walk(*kept);
        }
        return walked && *walked ? check_tail(kept->newest) : walked;
    }
    [[nodiscard]] AuditReport& report() { return report_; }

private:
    [[nodiscard]] std::optional<Adoption> adoption() const {
        return adoptions_.empty() ? std::optional<Adoption>{} : adoptions_.back();
    }

    bool differs(std::string what) {
        report_.difference = std::move(what);
        return false;
    }
    bool output_differs(std::string what) {
        return differs(fmt::format("{}: {}", what, way_out::repair(place_.folders.path)));
    }

    /// The checkpoint may cover files that were made since the output was opened.
    Result<void> follow_output(SegmentNumber newest) {
        if (newest.value == 0) {
            return {};
        }
        auto segment = open_kept_segment(place_.files, place_.folders, newest, place_.id(), place_.boot, Access::read);
        if (!segment) {
            return forward_error(segment);
        }
        if (!*segment) {
            return failure(ErrorCode::fenced, "the newest segment was trimmed meanwhile");
        }
        return output_.file().follow((*segment)->header().output);
    }

    Result<bool> check_series() {
        auto series = output_.check_series();
        if (!series) {
            return forward_error(series);
        }
        report_.files = series->files;
        report_.removed_files = series->removed_files;
        report_.removed_bytes = series->removed_bytes;
        const auto& fault = series->missing ? series->missing : series->longer;
        return fault ? differs(*fault) : Result<bool>{true};
    }

    Result<bool> walk(const KeptJournal& kept) {
        auto kept_from = output_.file().begin();
        if (!kept_from) {
            return forward_error(kept_from);
        }
        kept_from_ = *kept_from;
        SessionAudit sessions{kept.lowest.value == 1};
        JournalWalk segments{place_, kept.lowest, kept.newest};
        for (bool first = true;; first = false) {
            auto segment = segments.next();
            if (!segment) {
                return forward_error(segment);
            }
            if (*segment == nullptr) {
                break;
            }
            if (first) {
                if (auto begun = begin(**segment); !begun || !*begun) {
                    return begun;
                }
            }
            if (auto done = check_segment(**segment, segments.at_newest(), sessions); !done || !*done) {
                return done;
            }
        }
        report_.last_round = at_.round;
        report_.last_sequence = at_.sequence;
        report_.output_bytes = at_.output_end;
        report_.sessions = sessions.sessions();
        report_.counted_rounds = sessions.counted_rounds();
        auto size = output_.file().size();
        if (!size) {
            return forward_error(size);
        }
        report_.trailing_bytes = *size > at_.output_end ? *size - at_.output_end : 0;
        return true;
    }

    bool differs_from_adopted(const ByteRange& range) {
        return output_differs(
            fmt::format("output.txt differs in bytes {} to {} from what was adopted there", range.begin, range.end));
    }

    Result<bool> check_tail(SegmentNumber newest) {
        const auto accepted = adoption();
        const bool counts = accepted && accepted->is_behind(newest, at_.round);
        auto same = counts ? output_.has_tail(*accepted) : Result<bool>{true};
        return same && !*same ? differs_from_adopted(accepted->tail()) : same;
    }

    /// Everything below the first segment that is kept.
    Result<bool> begin(Segment& segment) {
        at_ = {.slots = 0,
               .file_offset = 0,
               .round = segment.base_round(),
               .sequence = {segment.header().base_sequence},
               .wall_us = 0,
               .output_end = segment.header().gap_begin,
               .hash = segment.header().base_hash};
        report_.exact_from = std::max(segment.header().gap_begin, kept_from_);
        const bool covered = checkpoint_ && scope_ == AuditScope::all;
        const auto* mark = covered ? &checkpoint_->mark : nullptr;
        report_.block_bytes_end = mark != nullptr ? mark->output_end : 0;
        auto blocks = output_.check_blocks(place_.files, place_.folders, report_.block_bytes_end,
                                           mark != nullptr ? mark->block_crc : 0, adoption(), {});
        if (!blocks) {
            return forward_error(blocks);
        }
        for (const auto& piece : blocks->adopted) {
            add_range(report_.adopted, piece.range);
        }
        report_.faults = std::move(blocks->faults);
        if (blocks->sums_end) {
            return differs(
                fmt::format(".anel/blocks was removed or shortened: it has no checksums for output.txt from "
                            "byte {} on: put it back, or {}",
                            *blocks->sums_end, way_out::adopt(place_.folders.path)));
        }
        if (!report_.faults.empty()) {
            return output_differs(fmt::format("output.txt differs somewhere in bytes {} to {} (checksum of the MiB)",
                                              report_.faults[0].begin, report_.faults[0].end));
        }
        if (!blocks->changed_pieces.empty()) {
            return differs_from_adopted(blocks->changed_pieces[0].range);
        }
        return true;
    }

    /// Behind the round that an operator adopted something with, a segment may begin further on.
    [[nodiscard]] bool continues(const SegmentHeader& header) const {
        if (header.base_round != at_.round.value || header.base_sequence != at_.sequence.value ||
            header.base_hash != at_.hash || header.base_offset < header.gap_begin) {
            return false;
        }
        const auto accepted = [&](const Adoption& one) {
            return one.segment.value + 1 == header.number && one.output_end == at_.output_end &&
                   one.tail_end == header.gap_begin;
        };
        return header.gap_begin == at_.output_end || std::any_of(adoptions_.begin(), adoptions_.end(), accepted);
    }

    Result<bool> check_segment(Segment& segment, bool newest, SessionAudit& sessions) {
        ++report_.segments;
        const auto& header = segment.header();
        const std::string name = fmt::format(".anel/journal/{}", header.number);
        if (!continues(header)) {
            return differs(fmt::format("{} does not continue the segment before it", name));
        }
        if (header.gap_begin > at_.output_end) {
            add_range(report_.adopted, {at_.output_end, header.gap_begin});
        }
        auto slots = segment.slots();
        if (!slots) {
            return forward_error(slots);
        }
        // What is decided here stands in a file that may have got its name only since the first look.
        if (auto known = *slots > 0 ? output_.file().follow(header.output) : Result<void>{}; !known) {
            return forward_error(known);
        }
        if (auto filled = check_filler(header, newest && *slots == 0); !filled || !*filled) {
            return filled;
        }
        auto begin = segment.position_at(0);
        if (!begin) {
            return forward_error(begin);
        }
        at_ = *begin;
        ahead_.forget();
        if (auto compared = compare_checkpoint(sessions); !compared || !*compared) {
            return compared;
        }
        for (std::uint64_t slot = 1; slot <= *slots; ++slot) {
            auto record = segment.next(ahead_);
            if (!record) {
                return forward_error(record);
            }
            if (auto done = check_round(*record, sessions, newest && slot == *slots); !done || !*done) {
                return done;
            }
            at_ = position_after(record->header, at_);
            if (auto compared = compare_checkpoint(sessions); !compared || !*compared) {
                return compared;
            }
        }
        return true;
    }

    Result<bool> check_round(const Record& record, SessionAudit& sessions, bool last) {
        const auto& header = record.header;
        ++report_.rounds;
        report_.messages += header.count;
        if (report_.first_round.value == 0) {
            report_.first_round = {header.round};
        }
        if (const auto fault = sessions.take({header.round}, {header.first}, header.count, record.changes)) {
            return differs(fmt::format("round {}: {}", header.round, *fault));
        }
        if (header.output_offset < kept_from_) {
            return true;
        }
        // The last one may be decided a moment ago: it gets a moment to appear.
        for (int attempt = 0;; ++attempt) {
            auto found = output_.difference(record.text, header.output_offset);
            if (!found) {
                return forward_error(found);
            }
            if (!*found) {
                return true;
            }
            if (!last) {
                return output_differs(
                    fmt::format("output.txt byte {} is not what round {} wrote there", (*found)->begin, header.round));
            }
            if (attempt == 20) {
                report_.last_round_pending = true;
                return true;
            }
            ::usleep(10'000);
        }
    }

    Result<bool> check_filler(const SegmentHeader& header, bool perhaps_unwritten) {
        if (header.gap_begin == header.base_offset || header.gap_begin < kept_from_) {
            return true;
        }
        ++report_.filler_lines;
        report_.filler_bytes += header.base_offset - header.gap_begin;
        auto checked = for_each_filler(
            header.gap_begin, header.base_offset, [&](std::string_view part, std::uint64_t offset) -> Result<void> {
                auto found = output_.difference(part, offset);
                if (!found) {
                    return forward_error(found);
                }
                if (*found && !perhaps_unwritten && !report_.difference) {
                    output_differs(fmt::format("output.txt byte {} should be blank (gap before segment {})",
                                               (*found)->begin, header.number));
                }
                return {};
            });
        return checked ? Result<bool>{!report_.difference} : forward_error(checked);
    }

    Result<bool> compare_checkpoint(SessionAudit& sessions) {
        if (!checkpoint_ || checkpoint_->mark.round != at_.round || compared_) {
            return true;
        }
        compared_ = true;
        const auto& mark = checkpoint_->mark;
        if (mark.hash != at_.hash || mark.sequence != at_.sequence) {
            return differs(fmt::format("checkpoint {} does not agree with the journal", mark.round.value));
        }
        if (const auto fault = sessions.compare(checkpoint_->snapshot)) {
            return differs(*fault);
        }
        return true;
    }

    AuditScope scope_;
    LedgerPlace place_;
    OutputAudit output_;
    AuditReport report_;
    std::vector<Adoption> adoptions_;
    std::optional<Checkpoint> checkpoint_;
    bool compared_ = false;
    Position at_;
    std::uint64_t kept_from_ = 0;  ///< of the output: what is before was removed
    ReadAhead ahead_;
};

}  // namespace

Result<AuditReport> audit(const std::filesystem::path& folder, AuditScope scope) {
    FileSystem files;
    auto opened = open_to_look(files, folder);
    if (!opened && opened.error().code == ErrorCode::folder_unusable) {
        return forward_error(opened);
    }
    if (!opened) {
        AuditReport report;
        report.difference = std::move(opened.error().text);
        return report;
    }
    return audit(files, *opened, scope);
}

Result<AuditReport> audit(FileSystem& files, OpenedLedger& opened, AuditScope scope) {
    constexpr int attempts = 20;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        Auditor auditor{opened.place(files), opened.output, scope};
        auto looked = auditor.look();
        if (!looked && looked.error().code == ErrorCode::fenced) {
            continue;
        }
        if (!looked) {
            // What cannot be read back is a difference too.
            auditor.report().difference = looked.error().text;
        }
        return std::move(auditor.report());
    }
    return failure(ErrorCode::io_failed, "the journal is trimmed faster than it can be read; try again");
}

}  // namespace anel

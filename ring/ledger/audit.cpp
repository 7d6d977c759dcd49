#include "ring/ledger/audit.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "ring/ledger/audit_output.hpp"
#include "ring/ledger/audit_sessions.hpp"
#include "ring/ledger/checkpoint_file.hpp"
#include "ring/ledger/kept_segment.hpp"
#include "ring/ledger/ledger_file.hpp"

namespace anel {
namespace {

/// One look at the ledger. Each step returns false when the journal was trimmed under it: then a new look is taken.
class Auditor {
public:
    Auditor(FileSystem& files, const Folders& folders, const LedgerFile& file, const Output& output, const BootId& boot)
        : files_{files}, folders_{folders}, identity_{file.identity()}, output_{output}, boot_{boot} {}

    Result<bool> look() {
        report_.adopted_bytes = identity_.adopted_bytes;
        if (output_.file().inode() != identity_.output_inode) {
            return differs("output.txt is not the file that the ledger was made with");
        }
        auto checkpoint = newest_checkpoint(files_, folders_, identity_.id);
        auto numbers = list_numbers(folders_.journal.get(), ".anel/journal");
        if (!checkpoint || !numbers) {
            return checkpoint ? forward_error(numbers) : forward_error(checkpoint);
        }
        checkpoint_ = std::move(*checkpoint);
        if (checkpoint_) {
            report_.checkpoint = checkpoint_->mark.round;
        }
        if (numbers->empty()) {
            report_.output_bytes = identity_.base_offset;
            return checkpoint_ ? differs("there is a checkpoint and no journal") : true;
        }
        // Lower ones than the checkpoint needs are being trimmed, or a sleeper's that count for nothing.
        const std::uint64_t needed = checkpoint_ ? checkpoint_->mark.segment.value : 1;
        std::uint64_t lowest = numbers->back();
        while (lowest > needed && std::binary_search(numbers->begin(), numbers->end(), lowest - 1)) {
            --lowest;
        }
        if (lowest > needed) {
            auto now = newest_mark(files_, folders_, identity_.id);
            if (now && *now && (*now)->segment.value >= lowest) {
                return false;
            }
            return differs(fmt::format("segment {} of the journal is missing", needed));
        }
        return walk({lowest}, {numbers->back()});
    }
    [[nodiscard]] AuditReport& report() { return report_; }

private:
    bool differs(std::string what) {
        if (!report_.difference) {
            report_.difference = std::move(what);
        }
        return true;
    }

    Result<bool> walk(SegmentNumber lowest, SegmentNumber newest) {
        SessionAudit sessions{lowest.value == 1};
        std::unique_ptr<Segment> segment;
        std::unique_ptr<Segment> successor;
        for (SegmentNumber number = lowest; number <= newest; number = number.next()) {
            segment = std::exchange(successor, nullptr);
            for (auto* into : {&segment, &successor}) {
                const SegmentNumber wanted = into == &segment ? number : number.next();
                if (*into || wanted > newest) {
                    continue;
                }
                auto opened = open_kept_segment(files_, folders_, wanted, identity_.id, boot_, Access::read);
                if (!opened) {
                    return forward_error(opened);
                }
                if (!*opened) {
                    return false;
                }
                *into = std::move(*opened);
            }
            if (successor) {
                segment->set_final_slots(successor->header().previous_slots);
            }
            if (number == lowest) {
                report_.exact_from = segment->header().gap_begin;
                auto blocks = output_.fault_in_blocks(files_, folders_, checkpoint_ ? &checkpoint_->mark : nullptr);
                if (!blocks) {
                    return forward_error(blocks);
                }
                if (*blocks) {
                    return differs(std::move(**blocks));
                }
                report_.block_bytes_end = checkpoint_ ? checkpoint_->mark.output_end : 0;
                at_ = {.slots = 0,
                       .file_offset = 0,
                       .round = segment->base_round(),
                       .sequence = {segment->header().base_sequence},
                       .wall_us = 0,
                       .output_end = segment->header().gap_begin,
                       .hash = segment->header().base_hash};
            }
            if (auto done = check_segment(*segment, successor == nullptr, sessions); !done || report_.difference) {
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

    Result<bool> check_segment(Segment& segment, bool newest, SessionAudit& sessions) {
        ++report_.segments;
        const auto& header = segment.header();
        const std::string name = fmt::format(".anel/journal/{}", header.number);
        if (header.base_round != at_.round.value || header.base_sequence != at_.sequence.value ||
            header.base_hash != at_.hash || header.gap_begin != at_.output_end ||
            header.base_offset < header.gap_begin) {
            return differs(fmt::format("{} does not continue the segment before it", name));
        }
        auto slots = segment.slots();
        if (!slots) {
            return forward_error(slots);
        }
        if (auto filled = check_filler(header, newest && *slots == 0); !filled || report_.difference) {
            return filled;
        }
        auto begin = segment.position_at(0);
        if (!begin) {
            return forward_error(begin);
        }
        at_ = *begin;
        if (auto compared = compare_checkpoint(sessions); !compared || report_.difference) {
            return compared;
        }
        for (std::uint64_t slot = 1; slot <= *slots; ++slot) {
            auto record = segment.read(slot, buffer_);
            if (!record) {
                return forward_error(record);
            }
            if (auto done = check_round(*record, sessions, newest && slot == *slots); !done || report_.difference) {
                return done;
            }
            at_ = position_after(record->header, at_);
            if (auto compared = compare_checkpoint(sessions); !compared || report_.difference) {
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
        // The last one may be decided a moment ago: it gets a moment to appear.
        for (int attempt = 0;; ++attempt) {
            auto first = output_.first_difference(record.text, header.output_offset);
            if (!first) {
                return forward_error(first);
            }
            if (!*first) {
                return true;
            }
            if (!last) {
                return differs(
                    fmt::format("output.txt byte {} is not what round {} wrote there", **first, header.round));
            }
            if (attempt == 20) {
                report_.last_round_pending = true;
                return true;
            }
            ::usleep(10'000);
        }
    }

    Result<bool> check_filler(const SegmentHeader& header, bool perhaps_unwritten) {
        if (header.gap_begin == header.base_offset) {
            return true;
        }
        ++report_.filler_lines;
        report_.filler_bytes += header.base_offset - header.gap_begin;
        auto checked = for_each_filler(
            header.gap_begin, header.base_offset, [&](std::string_view part, std::uint64_t offset) -> Result<void> {
                auto first = output_.first_difference(part, offset);
                if (!first) {
                    return forward_error(first);
                }
                if (*first && !perhaps_unwritten) {
                    differs(fmt::format("output.txt byte {} should be blank (gap before segment {})", **first,
                                        header.number));
                }
                return {};
            });
        return checked ? Result<bool>{true} : forward_error(checked);
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

    FileSystem& files_;
    const Folders& folders_;
    const LedgerIdentity& identity_;
    OutputAudit output_;
    BootId boot_;
    AuditReport report_;
    std::optional<Checkpoint> checkpoint_;
    bool compared_ = false;
    Position at_;
    Bytes buffer_;
};

}  // namespace

Result<AuditReport> audit(const std::filesystem::path& folder) {
    FileSystem files;
    Folders folders{.path = folder, .data = {}, .anel = {}, .journal = {}, .checkpoint = {}};
    folders.data = Descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folders.data.valid()) {
        return failure(ErrorCode::folder_unusable,
                       fmt::format("cannot open folder {}: {}", folder.string(), std::strerror(errno)));
    }
    auto inner = open_inner_folders(files, folders);
    auto file = inner && *inner ? LedgerFile::open(files, folders, false) : std::optional<LedgerFile>{};
    auto boot = this_boot();
    if (!inner || !file || !boot) {
        return !inner ? forward_error(inner) : !file ? forward_error(file) : forward_error(boot);
    }
    if (!*file) {
        return failure(ErrorCode::folder_unusable, fmt::format("there is no ledger in {}", folder.string()));
    }
    auto output = Output::open(files, folders, false);
    if (!output) {
        return forward_error(output);
    }
    AuditReport report;
    if (!*output) {
        report.difference = "output.txt is missing";
        return report;
    }
    constexpr int attempts = 20;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        Auditor auditor{files, folders, **file, **output, *boot};
        auto looked = auditor.look();
        if (!looked) {
            // What cannot be read back is a difference too.
            auditor.report().difference = looked.error().text;
            return std::move(auditor.report());
        }
        if (*looked) {
            return std::move(auditor.report());
        }
    }
    return failure(ErrorCode::io_failed, "the journal is trimmed faster than it can be read; try again");
}

}  // namespace anel

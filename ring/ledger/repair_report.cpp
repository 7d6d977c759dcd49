#include <fmt/format.h>

#include <algorithm>

#include "ring/ledger/repair.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {
namespace {

class Lines {
public:
    explicit Lines(std::vector<std::string>& lines) : lines_{lines} {}
    void say(std::string line) { lines_.push_back(std::move(line)); }
    void say_ranges(const char* what, const std::vector<ByteRange>& ranges) {
        for (const auto& range : ranges) {
            say(fmt::format("{}: output.txt from byte {} to {} ({} bytes)", what, range.begin, range.end,
                            range.end - range.begin));
        }
    }

private:
    std::vector<std::string>& lines_;
};

void say_files(const RepairReport& report, Lines& lines) {
    if (report.ledger_copied) {
        lines.say("restored: .anel is a copy, not the one that was made here");
    }
    if (report.output_missing) {
        lines.say("missing: output.txt");
    } else if (report.output_replaced) {
        lines.say("restored: output.txt is another file than the ledger's");
    }
    if (report.sums_lost_from) {
        lines.say(
            fmt::format("missing: checksums (.anel/blocks) of output.txt from byte {} on", *report.sums_lost_from));
    }
}

/// @param kept  all of it, by this adoption
void say_behind(const ByteRange& behind, bool kept, const RepairReport& report, Lines& lines) {
    const std::uint64_t before = report.kept_tail ? std::min(report.kept_tail->end, behind.end) : behind.begin;
    const std::uint64_t middle = kept ? behind.end : before;
    if (behind.begin < middle) {
        lines.say_ranges("behind the last round, kept: what of it was acked may be sent again by its clients",
                         {ByteRange{behind.begin, middle}});
    }
    if (middle < behind.end) {
        lines.say_ranges(report.appended_at ? "behind the last round, and not the ring's"
                                            : "behind the last round, nobody was acked for it: it becomes blanks",
                         {ByteRange{middle, behind.end}});
    }
}

std::string ending(const RepairReport& report, const RepairOptions& options) {
    const bool adopted = options.mode == RepairMode::adopt;
    if (!adopted && report.needs_adoption()) {
        return fmt::format(
            "CANNOT be restored from the journal, which begins at byte {}: put the old bytes back, or accept "
            "what there is: anel repair --adopt {}",
            report.journal_from, options.folder.string());
    }
    if (report.appended_at) {
        return fmt::format("somebody else wrote behind the last round, and the ring does not write over it: {}",
                           way_out::cut_off(options.folder, *report.appended_at));
    }
    if (report.adoption) {
        return fmt::format("{}: .anel/adopted/{}; the ring goes on behind round {}, sequence {}",
                           options.dry_run ? "would be adopted" : "adopted", *report.adoption, report.last_round.value,
                           report.last_sequence.value);
    }
    if (report.rewritten.empty()) {
        return "nothing to do";
    }
    return options.dry_run ? "can be repaired" : "repaired";
}

}  // namespace

std::vector<std::string> describe(const RepairReport& report, const RepairOptions& options) {
    std::vector<std::string> told;
    Lines lines{told};
    const bool adopted = options.mode == RepairMode::adopt;
    const bool held_back =
        report.output_missing || report.output_replaced || report.ledger_copied || !report.lost.empty();
    const bool wrote = !options.dry_run && (adopted || !held_back);
    say_files(report, lines);
    lines.say_ranges(wrote ? "rewritten from the journal" : "the journal has", report.rewritten);
    lines.say_ranges(!adopted          ? "lost, older than the journal"
                     : options.dry_run ? "lost, would become blanks"
                                       : "lost, blanks from now on",
                     report.lost);
    lines.say_ranges(adopted ? "changed, accepted as it is" : "changed, older than the journal (checksum of the MiB)",
                     report.changed);
    lines.say_ranges(adopted ? "accepted unchecked" : "cannot be checked any more", report.unchecked);
    if (report.behind) {
        say_behind(*report.behind, adopted && report.adoption && report.restored(), report, lines);
    }
    lines.say(ending(report, options));
    return told;
}

}  // namespace anel

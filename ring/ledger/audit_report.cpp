#include <fmt/format.h>

#include <algorithm>

#include "ring/ledger/audit.hpp"

namespace anel {

std::vector<std::string> describe(const AuditReport& report) {
    std::vector<std::string> lines;
    const auto say = [&lines](std::string line) { lines.push_back(std::move(line)); };
    say(fmt::format("ledger: {} rounds decided, {} messages, {} bytes of output", report.last_round.value,
                    report.last_sequence.value, report.output_bytes));
    if (report.rounds > 0) {
        say(fmt::format("journal: rounds {} to {} ({} messages) in {} segments, checksums, hashes and order read",
                        report.first_round.value, report.last_round.value, report.messages, report.segments));
    } else {
        say(fmt::format("journal: no rounds in {} segments", report.segments));
    }
    if (report.checkpoint) {
        say(fmt::format("checkpoint: after round {}", report.checkpoint->value));
    }
    if (report.files > 1 || report.removed_files > 0) {
        say(fmt::format("files of the output: {}, the newest is output.txt", report.files));
    }
    if (report.removed_files > 0) {
        say(fmt::format("removed: the {} oldest, with output from byte 0 to {}", report.removed_files,
                        report.removed_bytes));
    }
    say(fmt::format("exact to the byte: output from byte {} to {}", report.exact_from, report.output_bytes));
    if (report.block_bytes_end > 0 && report.exact_from > 0) {
        say(fmt::format("exact to the MiB: output from byte {} to {}", report.removed_bytes, report.block_bytes_end));
    }
    if (const auto from = std::max(report.block_bytes_end, report.removed_bytes); from < report.exact_from) {
        say(fmt::format("not covered: output from byte {} to {}", from, report.exact_from));
    }
    for (const auto& range : report.adopted) {
        say(
            fmt::format("adopted, as it was then: output from byte {} to {}; the ledger does not know what was written "
                        "there",
                        range.begin, range.end));
    }
    if (report.adopted_bytes > 0) {
        say(fmt::format("adopted: the first {} bytes stood there before the ledger was made", report.adopted_bytes));
    }
    if (report.filler_lines > 0) {
        say(fmt::format("blanks: {} lines, {} bytes, left by power cuts or adoption", report.filler_lines,
                        report.filler_bytes));
    }
    say(fmt::format("sessions: {} in the journal, each in order; messages counted in {} rounds", report.sessions,
                    report.counted_rounds));
    if (report.last_round_pending) {
        say(fmt::format("round {} is decided and not yet in output.txt: the next holder writes it",
                        report.last_round.value));
    }
    if (report.trailing_bytes > 0) {
        say(fmt::format("{} bytes stand behind the last round: written meanwhile, or left by a power cut",
                        report.trailing_bytes));
    }
    say(report.difference ? fmt::format("DIFFERS: {}", *report.difference) : "clean: output and ledger agree");
    return lines;
}

}  // namespace anel

// `anel verify`: audits the whole ledger against output.txt.
#include <fmt/format.h>

#include "client/command/commands.hpp"
#include "client/report_json.hpp"
#include "ring/ledger/audit.hpp"

namespace anel::command {
namespace {

constexpr int exit_differs = 1;

struct VerifyFlags {
    std::string folder;
    bool journal = false;
    bool quiet = false;
    bool json = false;
};

nlohmann::json report_as_json(const AuditReport& report) {
    return {{"clean", !report.difference},
            {"difference", json_of(report.difference)},
            {"faults", json_of(report.faults)},
            {"last_round", report.last_round.value},
            {"last_sequence", report.last_sequence.value},
            {"output_bytes", report.output_bytes},
            {"files", report.files},
            {"removed_files", report.removed_files},
            {"removed_bytes", report.removed_bytes},
            {"exact_from", report.exact_from},
            {"block_bytes_end", report.block_bytes_end},
            {"adopted_bytes", report.adopted_bytes},
            {"adopted", json_of(report.adopted)},
            {"segments", report.segments},
            {"rounds", report.rounds},
            {"messages", report.messages},
            {"first_round", report.first_round.value},
            {"checkpoint", json_of(report.checkpoint)},
            {"filler_lines", report.filler_lines},
            {"filler_bytes", report.filler_bytes},
            {"sessions", report.sessions},
            {"counted_rounds", report.counted_rounds},
            {"trailing_bytes", report.trailing_bytes},
            {"last_round_pending", report.last_round_pending}};
}

int run(const VerifyFlags& flags) {
    const auto report = audit(flags.folder.empty() ? default_data_folder() : flags.folder,
                              flags.journal ? AuditScope::journal : AuditScope::all);
    if (!report) return fail("verify", report.error().text, exit_usage);
    if (flags.json) {
        print_json(report_as_json(*report));
    } else if (!flags.quiet) {
        for (const auto& line : describe(*report)) fmt::print("{}\n", line);
    }
    if (report->difference) return fail("verify", *report->difference, exit_differs);
    return exit_success;
}

}  // namespace

void add_verify(CLI::App& app, int& exit_code) {
    auto flags = std::make_shared<VerifyFlags>();
    auto& command = *app.add_subcommand("verify", "Audit the whole ledger against output.txt");
    command.add_option("folder", flags->folder, "The data folder (default: ANEL_DATA, shared_data or .)")
        ->type_name("FOLDER");
    command.add_flag("--journal", flags->journal, "Of output.txt only what the journal still has, byte for byte");
    auto* quiet = command.add_flag("--quiet", flags->quiet, "Print a difference only");
    command.add_flag("--json", flags->json, "Print the report as JSON")->excludes(quiet);
    command.footer(
        "Reads only; the ring may run.\n"
        "Exit code: 0 all agrees, 1 something differs, 2 there is nothing to audit.\n\n"
        "Example:\n  anel verify shared_data");
    command.callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace anel::command

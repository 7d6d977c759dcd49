// `anel repair`: puts a data folder in order that outside hands have changed, or accepts it as it is.
#include <fmt/format.h>

#include "client/command/commands.hpp"
#include "client/report_json.hpp"
#include "ring/ledger/repair.hpp"

namespace anel::command {
namespace {

constexpr int exit_cannot = 1;

struct RepairFlags {
    std::string folder;
    bool adopt = false;
    bool dry_run = false;
    bool json = false;
};

nlohmann::json report_as_json(const RepairReport& report) {
    return {{"rewritten", json_of(report.rewritten)},
            {"lost", json_of(report.lost)},
            {"changed", json_of(report.changed)},
            {"unchecked", json_of(report.unchecked)},
            {"behind", report.behind ? json_of({*report.behind}) : nlohmann::json::array()},
            {"kept_tail", report.kept_tail ? json_of({*report.kept_tail}) : nlohmann::json::array()},
            {"appended_at", json_of(report.appended_at)},
            {"sums_lost_from", json_of(report.sums_lost_from)},
            {"output_missing", report.output_missing},
            {"output_replaced", report.output_replaced},
            {"ledger_copied", report.ledger_copied},
            {"journal_from", report.journal_from},
            {"output_end", report.output_end},
            {"last_round", report.last_round.value},
            {"last_sequence", report.last_sequence.value},
            {"adoption", json_of(report.adoption)},
            {"needs_adoption", report.needs_adoption()}};
}

int run(const RepairFlags& flags) {
    RepairOptions options;
    options.folder = flags.folder.empty() ? default_data_folder() : flags.folder;
    options.mode = flags.adopt ? RepairMode::adopt : RepairMode::rewrite;
    options.dry_run = flags.dry_run;
    const auto report = repair(options);
    if (!report) {
        return fail("repair", report.error().text,
                    report.error().code == ErrorCode::folder_unusable ? exit_usage : exit_cannot);
    }
    if (flags.json) {
        print_json(report_as_json(*report));
    } else {
        for (const auto& line : describe(*report, options)) fmt::print("{}\n", line);
    }
    const bool settled = !report->appended_at && (!report->needs_adoption() || report->adoption);
    return settled ? exit_success : exit_cannot;
}

}  // namespace

void add_repair(CLI::App& app, int& exit_code) {
    auto flags = std::make_shared<RepairFlags>();
    auto& command = *app.add_subcommand("repair", "Put a data folder in order that outside hands have changed");
    command.add_option("folder", flags->folder, "The data folder (default: ANEL_DATA, shared_data or .)")
        ->type_name("FOLDER");
    command.add_flag("--adopt", flags->adopt,
                     "Accept what the journal cannot restore, and a copied or restored folder");
    command.add_flag("--dry-run", flags->dry_run, "Only say what would be done; nodes may run");
    command.add_flag("--json", flags->json, "Print the report as JSON");
    command.footer(
        "All nodes must be stopped. Writes into output.txt what the journal still has where it differs.\n"
        "Exit code: 0 repaired, adopted or nothing to do, 1 something cannot be restored, 2 nothing to repair there, "
        "or "
        "a node runs.\n\n"
        "Examples:\n  anel repair --dry-run shared_data\n  anel repair --adopt shared_data    # after restoring a "
        "backup");
    command.callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace anel::command

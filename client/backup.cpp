// `anel backup`: copies a whole ledger, also while the ring runs.
#include <fmt/format.h>

#include "client/command/commands.hpp"
#include "client/report_json.hpp"
#include "ring/ledger/backup.hpp"

namespace anel::command {
namespace {

constexpr int exit_unsound = 1;

struct BackupFlags {
    std::string folder;
    std::string target;
    bool json = false;
};

void tell(const BackupReport& report, const BackupFlags& flags) {
    if (flags.json) {
        print_json({{"sound", report.sound()},
                    {"last_round", report.last_round.value},
                    {"last_sequence", report.last_sequence.value},
                    {"output_bytes", report.output_bytes},
                    {"segments", report.segments},
                    {"checkpoint", json_of(report.checkpoint)},
                    {"changed", json_of(report.check.changed)},
                    {"lost", json_of(report.check.lost)}});
        return;
    }
    fmt::print("copied: {} rounds, {} messages, {} bytes of output, {} segments of the journal\n",
               report.last_round.value, report.last_sequence.value, report.output_bytes, report.segments);
    if (report.sound()) {
        fmt::print("read back: the copy is whole. To use it: anel repair --adopt {}, then start the ring on it\n",
                   flags.target);
    }
}

int run(const BackupFlags& flags) {
    const auto report = backup(flags.folder, flags.target);
    if (!report) {
        const auto code = report.error().code;
        const bool usage = code == ErrorCode::bad_configuration || code == ErrorCode::folder_unusable;
        return fail("backup", report.error().text, usage ? exit_usage : exit_unsound);
    }
    tell(*report, flags);
    if (!report->sound()) {
        return fail("backup",
                    fmt::format("output.txt differs from the ledger, so the copy does: anel verify {} says where",
                                flags.folder),
                    exit_unsound);
    }
    return exit_success;
}

}  // namespace

void add_backup(CLI::App& app, int& exit_code) {
    auto flags = std::make_shared<BackupFlags>();
    auto& command = *app.add_subcommand("backup", "Copy a whole ledger, also while the ring runs");
    command.add_option("folder", flags->folder, "The data folder")->type_name("FOLDER")->required();
    command.add_option("target", flags->target, "An empty folder, or a new one")->type_name("TARGET")->required();
    command.add_flag("--json", flags->json, "Print the report as JSON");
    command.footer(
        "The copy has all that was decided when the command began, and is read back.\n"
        "Exit code: 0 copied, 1 it could not be copied whole, 2 usage: no ledger there, or TARGET is not empty.\n\n"
        "Example:\n  anel backup shared_data /backups/monday\n"
        "  anel repair --adopt /backups/monday    # makes the copy a ledger of its own; then start a ring on it");
    command.callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace anel::command

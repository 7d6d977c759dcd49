// `anel verify`: audits the whole ledger against output.txt. The one command that reads the node's files.
#include <fmt/format.h>

#include "client/command/commands.hpp"
#include "ring/ledger/audit.hpp"

namespace anel::command {
namespace {

constexpr int exit_differs = 1;

int run(const std::string& folder, bool quiet) {
    const auto report = audit(folder);
    if (!report) return fail("verify", report.error().text, exit_usage);
    if (!quiet) {
        for (const auto& line : describe(*report)) fmt::print("{}\n", line);
    }
    if (report->difference) return fail("verify", *report->difference, exit_differs);
    return exit_success;
}

}  // namespace

void add_verify(CLI::App& app, int& exit_code) {
    auto folder = std::make_shared<std::string>();
    auto quiet = std::make_shared<bool>(false);
    auto& command = *app.add_subcommand("verify", "Audit the whole ledger against output.txt");
    command.add_option("folder", *folder, "The data folder (default: ANEL_DATA, shared_data or .)")
        ->type_name("FOLDER");
    command.add_flag("--quiet", *quiet, "Print a difference only");
    command.footer(
        "Exit code: 0 all agrees, 1 something differs, 2 there is nothing to audit.\n\n"
        "Example:\n  anel verify shared_data");
    command.callback(
        [folder, quiet, &exit_code] { exit_code = run(folder->empty() ? default_data_folder() : *folder, *quiet); });
}

}  // namespace anel::command

// `anel export`: finished pieces of the output become files for other programs.
#include <fmt/format.h>
#include <sys/inotify.h>

#include <chrono>
#include <cstdio>

#include "client/command/commands.hpp"
#include "client/command/export/pieces.hpp"
#include "client/command/print_json.hpp"
#include "common/file_watch.hpp"

namespace anel::command {
namespace {

constexpr int exit_incomplete = 1;
/// Some file systems tell nothing of what others do.
constexpr std::chrono::milliseconds look_every{2000};

struct ExportFlags {
    std::string folder;
    std::string target;
    std::string format = "jsonl";
    bool follow = false;
    bool json = false;
};

/// All that is finished and not there yet.
Result<void> export_finished(const ExportFlags& flags, const ExportFolder& target) {
    const auto pieces = finished_pieces(flags.folder);
    if (!pieces) return tl::unexpected{pieces.error()};
    for (const auto& piece : pieces->finished) {
        if (signalled() || target.has(piece)) continue;
        const auto rows = target.add(piece);
        if (!rows) return tl::unexpected{rows.error()};
        const auto name = target.name_of(piece);
        if (flags.json) print_json_line({{"file", name}, {"rows", *rows}});
        else fmt::print("{}: {} rows\n", name, *rows);
        std::fflush(stdout);
    }
    if (pieces->uncertain && !flags.follow) {
        return failure(
            ErrorCode::io_failed,
            fmt::format("{}: perhaps torn by a restart of the machine: start the ring, which writes it again",
                        pieces->uncertain->path.string()));
    }
    return {};
}

int run(const ExportFlags& flags) {
    catch_signals();
    FileWatch arrivals;
    arrivals.add(flags.folder, IN_CREATE | IN_MOVED_TO);
    const auto target = ExportFolder::open(flags.target, flags.format == "csv" ? RowFormat::csv : RowFormat::jsonl);
    if (!target) return fail("export", target.error().text, exit_usage);
    for (;;) {
        const auto done = export_finished(flags, *target);
        if (!done) {
            const bool usage = done.error().code == ErrorCode::bad_configuration;
            return fail("export", done.error().text, usage ? exit_usage : exit_incomplete);
        }
        if (!flags.follow || signalled()) return exit_success;
        arrivals.wait(look_every);
    }
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
    auto flags = std::make_shared<ExportFlags>();
    auto& command = *app.add_subcommand("export", "Turn finished pieces of the output into JSON lines or CSV");
    command.add_option("folder", flags->folder, "The data folder, or one with pieces of it")
        ->type_name("FOLDER")
        ->required();
    command.add_option("target", flags->target, "Where the files go; made where it is missing")
        ->type_name("TARGET")
        ->required();
    command.add_option("--format", flags->format, "What they are")
        ->capture_default_str()
        ->check(CLI::IsMember({"jsonl", "csv"}));
    command.add_flag("--follow", flags->follow, "Go on with what is finished later, until told to end");
    command.add_flag("--json", flags->json, "Say what was exported as one JSON object a file");
    command.footer(
        "Finished are the files output.NNNNNN.txt of FOLDER, which a ring makes that was told to go on in new files.\n"
        "Each becomes a file of its own, under its name only when it is whole and durable. What is there already "
        "stays\n"
        "as it is; what was taken away comes again while its piece is there.\n"
        "Exit code: 0 exported, 1 a piece could not be exported, 2 usage.\n\n"
        "Example:\n  anel export shared_data /srv/rows --format csv --follow");
    command.callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace anel::command

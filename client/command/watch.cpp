// `anel watch`: follow output.txt, as a file here, or as nodes give it out (watch_feed.cpp).
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "client/command/commands.hpp"
#include "client/command/follower.hpp"
#include "client/command/last_rounds.hpp"
#include "client/command/watch_feed.hpp"

namespace anel::command {
namespace {

struct WatchOptions {
    std::vector<std::string> where;
    WatchFeedOptions feed;  ///< what is said of the rest holds for a file as well, but for what is a feed's alone
};

/// @param whole  a folder was named, so the start is that of its oldest file
void seek_start(const std::string& from, bool whole, Follower& follower) {
    if (from == "end") follower.seek(follower.size());
    else if (from == "start") follower.seek(whole ? follower.begin() : follower.newest());
    else if (const auto rounds = rounds_of(from)) follower.seek(follower.offset_of_last_rounds(*rounds));
}

int follow_file(const std::string& where, const WatchFeedOptions& options) {
    std::filesystem::path path = where.empty() ? default_data_folder() : where;
    std::error_code ignored;
    const bool whole = std::filesystem::is_directory(path, ignored);
    if (whole) path /= "output.txt";
    catch_signals();
    Follower follower{path};
    // What comes to be later is shown from its start, whatever --from says.
    if (follower.open() && options.offset) follower.seek(*options.offset);
    else if (follower.open()) seek_start(options.from, whole, follower);
    else if (options.until_end)
        return fail("watch", fmt::format("{}: there is no such file", path.string()), exit_usage);
    else if (isatty(STDERR_FILENO) == 1) fmt::print(stderr, "anel watch: waiting for {}\n", path.string());
    Printer printer{options.print};
    while (!signalled()) {
        const auto change = follower.read([&](std::string_view bytes) { return printer.feed(bytes) && !signalled(); });
        if (printer.done()) break;
        if (const auto missed = follower.take_missed()) {
            fmt::print(stderr, "anel watch: {} bytes were removed before they were read\n", missed);
        }
        if (change != Follower::Change::none) {
            fmt::print(stderr, "anel watch: {} was {}; reading it from its start\n", path.string(),
                       change == Follower::Change::replaced ? "replaced" : "shortened");
            printer.restart();
            continue;
        }
        if (options.until_end) break;
        follower.wait(std::chrono::milliseconds{500});
    }
    return exit_success;
}

int run(WatchOptions& options) {
    auto& feed = options.feed;
    if (feed.from != "start" && feed.from != "end" && !rounds_of(feed.from)) {
        return fail("watch", fmt::format("--from {}: start, end or a number of rounds is allowed", feed.from),
                    exit_usage);
    }
    if (options.where.size() <= 1 && (options.where.empty() || !is_feed_address(options.where.front()))) {
        if (!feed.ledger.empty() || feed.position) {
            return fail("watch", "--ledger and --position: allowed with tcp://host:port of a feed", exit_usage);
        }
        return follow_file(options.where.empty() ? "" : options.where.front(), feed);
    }
    feed.addresses = options.where;
    return watch_feed(feed);
}

}  // namespace

void add_watch(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<WatchOptions>();
    auto& feed = options->feed;
    auto& command = *app.add_subcommand("watch", "Follow output.txt as it grows, the file or the feeds of nodes");
    command
        .add_option(
            "where", options->where,
            "The data folder or the file (default: ANEL_DATA, shared_data or .); or the feeds of nodes, without "
            "the volume: where one is silent the next goes on from the same byte")
        ->type_name("FOLDER|FILE|tcp://HOST:PORT...");
    auto* from = command.add_option("--from", feed.from, "Begin at the start, the end, or N rounds before the end")
                     ->capture_default_str()
                     ->type_name("start|end|N");
    command.add_option("--offset", feed.offset, "Begin at this byte of the output")->type_name("BYTES")->excludes(from);
    command.add_option("--ledger", feed.ledger, "A feed: refuse another ledger than this one, whose --offset it is")
        ->type_name("NAME");
    command.add_flag("--json", feed.print.json,
                     "One JSON object a message; its text as it stands in the file, escaped");
    command.add_option("--until", feed.print.until_rounds, "Stop after so many rounds")->type_name("ROUNDS");
    command.add_option("--count", feed.print.count, "Stop after so many messages")->type_name("MESSAGES");
    command.add_flag("--until-end", feed.until_end, "Stop at the present end instead of following");
    command.add_flag(
        "--position", feed.position,
        "A feed: print the ledger's name, how many bytes are durable, and the last round of them, and stop");
    command.footer(
        "Exit code: 0 shown, or ended by Ctrl-C, 1 another ledger, 2 usage, 4 no feed answered (--until-end,\n"
        "--position).\n\n"
        "Examples: the last ten rounds and what follows, a line a message; the same from two nodes\n"
        "  anel watch shared_data --from 10 --json | jq -r .message\n"
        "  anel watch tcp://127.0.0.1:7000 tcp://127.0.0.1:7001 --from 10");
    command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace anel::command

// `anel watch`: follow output.txt.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "client/command/commands.hpp"
#include "client/command/follower.hpp"
#include "client/command/output_reader.hpp"

namespace anel::command {
namespace {

struct WatchOptions {
    std::string where;
    std::string from = "end";
    bool json = false;
    std::uint64_t until_rounds = 0;
    std::uint64_t count = 0;
    bool until_end = false;
};

/// Prints lines as they are, or a JSON object a message, until what was asked for has been shown.
class Printer {
public:
    explicit Printer(const WatchOptions& options) : options_{options} {}

    [[nodiscard]] bool done() const { return done_; }
    void restart() {
        cutter_.clear();
        reader_ = {};
    }
    /// @return false when enough was shown.
    bool feed(std::string_view bytes) {
        cutter_.feed(bytes, [this](std::string_view line) {
            if (!done_) show(line);
        });
        std::fflush(stdout);
        return !done_;
    }

private:
    void show(std::string_view line) {
        const auto shown = reader_.line(line);
        const auto* message = shown ? std::get_if<ShownMessage>(&*shown) : nullptr;
        // The lines of jsonl do not say that a round is over, only that the next one has begun.
        if (reader_.began_round() && message_in_round_) end_round();
        if (done_) return;
        if (!options_.json) fmt::print("{}\n", line);
        if (message != nullptr) show_message(*message);
        else if (shown && std::holds_alternative<RoundEnded>(*shown)) end_round();
    }
    void show_message(const ShownMessage& message) {
        message_in_round_ = true;
        if (options_.json && !message.json_line.empty()) {
            fmt::print("{}\n", message.json_line);
        } else if (options_.json) {
            const nlohmann::json object{{"container", message.container}, {"message", message.text}};
            fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
        }
        if (++messages_ == options_.count) done_ = true;
    }
    void end_round() {
        message_in_round_ = false;
        if (++rounds_ == options_.until_rounds) done_ = true;
    }

    const WatchOptions& options_;
    LineCutter cutter_;
    OutputReader reader_;
    std::uint64_t rounds_ = 0;
    std::uint64_t messages_ = 0;
    bool message_in_round_ = false;
    bool done_ = false;
};

std::optional<std::uint64_t> number(const std::string& text) {
    std::uint64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

void seek_start(const std::string& from, Follower& follower) {
    if (from == "end") follower.seek(follower.size());
    else if (const auto rounds = number(from)) follower.seek(follower.offset_of_last_rounds(*rounds));
}

int run(const WatchOptions& options) {
    if (options.from != "start" && options.from != "end" && !number(options.from)) {
        return fail("watch", fmt::format("--from {}: start, end or a number of rounds is allowed", options.from),
                    exit_usage);
    }
    std::filesystem::path path = options.where.empty() ? default_data_folder() : options.where;
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) path /= "output.txt";
    catch_signals();
    Follower follower{path};
    // What comes to be later is shown from its start, whatever --from says.
    if (follower.open()) seek_start(options.from, follower);
    else if (options.until_end)
        return fail("watch", fmt::format("{}: there is no such file", path.string()), exit_usage);
    else if (isatty(STDERR_FILENO) == 1) fmt::print(stderr, "anel watch: waiting for {}\n", path.string());
    Printer printer{options};
    while (!signalled()) {
        const auto change = follower.read([&](std::string_view bytes) { return printer.feed(bytes) && !signalled(); });
        if (printer.done()) break;
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

}  // namespace

void add_watch(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<WatchOptions>();
    auto& command = *app.add_subcommand("watch", "Follow output.txt as it grows");
    command.add_option("where", options->where, "The data folder or the file (default: ANEL_DATA, shared_data or .)")
        ->type_name("FOLDER|FILE");
    command.add_option("--from", options->from, "Begin at the start, the end, or N rounds before the end")
        ->capture_default_str()
        ->type_name("start|end|N");
    command.add_flag("--json", options->json, "One JSON object a message; its text as it stands in the file, escaped");
    command.add_option("--until", options->until_rounds, "Stop after so many rounds")->type_name("ROUNDS");
    command.add_option("--count", options->count, "Stop after so many messages")->type_name("MESSAGES");
    command.add_flag("--until-end", options->until_end, "Stop at the present end instead of following");
    command.footer(
        "Example: the last ten rounds and what follows, a line a message\n"
        "  anel watch shared_data --from 10 --json | jq -r .message");
    command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace anel::command

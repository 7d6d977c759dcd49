// `anel send`: push messages and wait until they are durable.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <mutex>

#include "client/client.hpp"
#include "client/command/commands.hpp"
#include "client/command/print_json.hpp"
#include "client/command/tally.hpp"

namespace anel::command {
namespace {

using namespace std::chrono_literals;
using client::Client;

using std::chrono::steady_clock;

constexpr int exit_refused = 1;
constexpr int exit_unknown = 3;
constexpr std::size_t listed_max = 20;  ///< without --json
constexpr std::size_t shown_bytes = 60;

struct SendOptions {
    std::vector<std::string> messages;
    std::string file;
    std::uint64_t count = 1;
    std::string id;
    std::uint64_t instance = 0;
    std::optional<Timestamp> timestamp;
    std::string nodes;
    std::size_t first_node = 0;
    std::string outbox;
    double retry_for_s = 30;
    bool json = false;
    bool quiet = false;
};

class Sender {
public:
    Sender(const SendOptions& options, Client& client, Tally& tally)
        : options_{options}, client_{client}, tally_{tally}, terminal_{isatty(STDERR_FILENO) == 1 && !options.json} {}

    /// @return false when given up.
    bool push(std::string_view text) {
        tally_.pushing(text);
        while (true) {
            const auto taken = client_.post(text, options_.timestamp.value_or(now_us()));
            if (taken) break;
            if (taken.error().code != "would_block") {
                tally_.not_taken(text, taken.error());
                return taken.error().code == "too_large";
            }
            if (!client_.wait_for_room(100ms) && given_up()) {
                tally_.not_taken(text, {"closed", "not sent"});
                return false;
            }
        }
        if ((++pushed_ & 0xffU) == 0) show_progress();
        return !signalled();
    }

    void finish() {
        // A refused `last_progress` is measured from the last push at the earliest.
        while (!client_.flush(100ms) && !given_up()) show_progress();
        if (terminal_ && shown_) fmt::print(stderr, "\r\x1b[K");
    }

private:
    static Timestamp now_us() {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    }
    bool given_up() {
        if (signalled()) return true;
        const auto since =
            std::chrono::duration<double>(steady_clock::now() - std::max(tally_.last_progress(), begun_));
        return since.count() >= options_.retry_for_s;
    }
    void show_progress() {
        const auto now = steady_clock::now();
        if (!terminal_ || now - begun_ < 500ms || now - last_shown_ < 100ms) return;
        last_shown_ = now;
        shown_ = true;
        const auto trouble = client_.trouble();
        fmt::print(stderr, "\r\x1b[K{} durable, {} under way{}{}", tally_.durable(), client_.unsettled(),
                   trouble.empty() ? "" : ": ", trouble);
        std::fflush(stderr);
    }

    const SendOptions& options_;
    Client& client_;
    Tally& tally_;
    bool terminal_;
    bool shown_ = false;
    std::uint64_t pushed_ = 0;
    steady_clock::time_point begun_ = steady_clock::now();
    steady_clock::time_point last_shown_{};
};

bool push_lines(std::istream& lines, Sender& sender) {
    for (std::string line; std::getline(lines, line);) {
        if (!sender.push(line)) return false;
    }
    return true;
}

/// @return false where the file cannot be read.
bool push_all(const SendOptions& options, Sender& sender) {
    std::ifstream file;
    if (!options.file.empty()) {
        file.open(options.file, std::ios::binary);
        if (!file) return false;
    }
    for (std::uint64_t turn = 0; turn < options.count; ++turn) {
        for (const auto& message : options.messages) {
            const bool going = message == "-" ? push_lines(std::cin, sender) : sender.push(message);
            if (!going) return true;
        }
        if (file.is_open()) {
            file.clear();
            file.seekg(0);
            if (!push_lines(file, sender)) return true;
        }
    }
    return true;
}

std::string shown(const std::string& text) {
    return text.size() <= shown_bytes ? text : text.substr(0, shown_bytes) + "...";
}

nlohmann::json json_of(const std::vector<Failed>& list) {
    auto out = nlohmann::json::array();
    for (const auto& one : list) {
        out.push_back({{"message", one.message}, {"text", one.text}, {"why", one.why}});
    }
    return out;
}

void print_list(const char* what, const std::vector<Failed>& list) {
    for (std::size_t index = 0; index < std::min(list.size(), listed_max); ++index) {
        const auto& one = list[index];
        const auto number = one.message == 0 ? std::string{"not sent"} : fmt::format("message {}", one.message);
        fmt::print(stderr, "{}: {}: '{}': {}\n", what, number, shown(one.text), one.why);
    }
    if (list.size() > listed_max) {
        fmt::print(stderr, "{}: and {} more up to message {}; --json lists all\n", what, list.size() - listed_max,
                   list.back().message);
    }
}

/// What somebody can do about the reasons why messages are not durable; printed once.
void print_advice(const Client& client, const Tally::Result& result) {
    const auto any_begins_with = [&](std::string_view code) {
        const auto begins = [&](const Failed& one) { return one.why.starts_with(code); };
        return std::any_of(result.refused.begin(), result.refused.end(), begins) ||
               std::any_of(result.unknown.begin(), result.unknown.end(), begins);
    };
    if (any_begins_with("conflict")) {
        fmt::print(stderr,
                   "what to do: another process pushes under client id '{}'. Let one run at a time, with the same "
                   "--outbox, or give each an --id of its own\n",
                   client.client_id());
    }
    if (any_begins_with("session_retired")) {
        fmt::print(
            stderr,
            "what to do: the ring has forgotten client id '{}', which was idle for long. Look in output.txt which "
            "of these messages stand there, remove the --outbox, and send the others again\n",
            client.client_id());
    }
    if (any_begins_with("too_many_sessions")) {
        fmt::print(stderr, "what to do: wait, or raise ANEL_SESSIONS on all nodes\n");
    }
}

int report(const SendOptions& options, const Client& client, const Tally::Result& result, double seconds) {
    if (options.json) {
        const nlohmann::json summary{{"client_id", client.client_id()},
                                     {"instance", client.instance().value},
                                     {"durable", result.durable},
                                     {"restored", result.restored},
                                     {"last_sequence", result.last.acked_sequence.value},
                                     {"last_round", result.last.acked_round.value},
                                     {"refused", json_of(result.refused)},
                                     {"unknown", json_of(result.unknown)},
                                     {"seconds", seconds}};
        print_json_line(summary);
    } else {
        if (!options.quiet && result.durable > 0) {
            fmt::print("{} durable, the last with sequence {} in round {}, after {:.3f} s\n", result.durable,
                       result.last.acked_sequence.value, result.last.acked_round.value, seconds);
        }
        print_list("refused", result.refused);
        print_list("outcome unknown", result.unknown);
        print_advice(client, result);
    }
    if (!result.unknown.empty()) return exit_unknown;
    return result.refused.empty() ? exit_success : exit_refused;
}

int run(const SendOptions& options) {
    if (options.messages.empty() && options.file.empty() && options.outbox.empty()) {
        return fail("send", "nothing to send; messages as arguments, - for lines of standard input, or --file",
                    exit_usage);
    }
    if (!options.file.empty() && access(options.file.c_str(), R_OK) != 0) {
        return fail("send", fmt::format("--file {}: cannot be read", options.file), exit_usage);
    }
    auto nodes = client::parse_nodes(options.nodes);
    if (!nodes) return fail("send", "--nodes: " + nodes.error().text, exit_usage);
    client::Options wanted{.nodes = std::move(*nodes), .client_id = options.id, .instance = options.instance};
    wanted.first_node = options.first_node;
    wanted.when_full = client::WhenFull::refuse;
    if (!options.outbox.empty()) wanted.outbox_file = options.outbox;
    std::unique_ptr<Tally> tally;
    std::mutex starting;  // settled runs wait until the tally stands
    std::unique_lock lock{starting};
    wanted.on_settled = [&](const Settled& settled) {
        const std::lock_guard wait{starting};
        tally->settled(settled);
    };
    catch_signals();
    const auto begun = steady_clock::now();
    auto started = Client::start(std::move(wanted));
    if (!started) return fail("send", started.error().text, exit_usage);
    auto& client = **started;
    tally = std::make_unique<Tally>(client.restored());
    lock.unlock();

    Sender sender{options, client, *tally};
    const bool readable = push_all(options, sender);
    sender.finish();
    const std::chrono::duration<double> took = steady_clock::now() - begun;
    // A random id never comes back: its session may go. A bye that is late changes nothing of the outcome.
    const bool leave = options.id.empty() && options.outbox.empty() && client.unsettled() == 0 && !signalled();
    (void)client.close(leave ? 2s : 0s, leave ? client::Farewell::bye : client::Farewell::keep);
    if (!readable) return fail("send", fmt::format("--file {}: cannot be read", options.file), exit_usage);
    return report(options, client, tally->result(), took.count());
}

}  // namespace

void add_send(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<SendOptions>();
    auto& command = *app.add_subcommand("send", "Push messages, wait until they are durable");
    command.add_option("messages", options->messages, "Messages; - stands for the lines of standard input")
        ->type_name("TEXT");
    command.add_option("--file", options->file, "Push each line of this file")->type_name("FILE");
    command.add_option("--count", options->count, "Push it all so many times")->type_name("N");
    command.add_option("--id", options->id, "Client id, 1 to 64 bytes (default: a random one)")->type_name("ID");
    command.add_option("--instance", options->instance, "Instance of that id (default: random)")->type_name("N");
    command.add_option("--timestamp", options->timestamp, "Timestamp of each (default: now, in microseconds)")
        ->type_name("T");
    add_nodes_option(command, options->nodes);
    command.add_option("--first-node", options->first_node, "Which of the nodes to speak to first, from 0");
    command
        .add_option("--outbox", options->outbox,
                    "Keep what is not acked in this file and resend it next time, exactly once")
        ->type_name("FILE");
    command.add_option("--retry-for", options->retry_for_s, "Give up when nothing was acked for so long")
        ->capture_default_str()
        ->type_name("SECONDS");
    command.add_flag("--json", options->json, "Print the summary as one JSON object");
    command.add_flag("--quiet", options->quiet, "Print failures only");
    command.footer(
        "Exit code: 0 all durable, 1 some refused, 2 usage, 3 some unknown (listed).\n\n"
        "Examples:\n  anel send \"hello, ring\"\n  journalctl -f | anel send --id journal -");
    command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace anel::command

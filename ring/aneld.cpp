// A node of the ring: reads its settings, puts the parts together, and runs until it has left.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <future>
#include <random>
#include <thread>

#include "ring/daemon/clock.hpp"
#include "ring/daemon/command_line.hpp"
#include "ring/daemon/daemon.hpp"
#include "ring/daemon/ending.hpp"
#include "ring/daemon/figures_text.hpp"
#include "ring/daemon/memory.hpp"
#include "ring/daemon/report_text.hpp"
#include "ring/daemon/ring_watch.hpp"
#include "ring/feed/output_feed.hpp"
#include "ring/ledger/bid_files.hpp"
#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/file_ledger.hpp"
#include "ring/ledger/sigbus.hpp"
#include "ring/ops/http_server.hpp"

namespace anel {
namespace {

constexpr std::chrono::seconds own_name_patience{10};
constexpr std::chrono::seconds report_patience{2};

void start_log(const Settings& settings) {
    auto log = spdlog::stderr_logger_st("aneld");
    log->set_pattern(fmt::format("%Y-%m-%dT%H:%M:%S.%eZ %L node {}: %v", settings.node.self.value),
                     spdlog::pattern_time_type::utc);
    log->set_level(spdlog::level::from_str(settings.log_level));
    spdlog::set_default_logger(std::move(log));
}

/// Where the others reach us: our own entry of the peers, as a number. Its name may take a moment to be known.
Result<std::string> find_own_host(const Settings& settings, Signals& signals) {
    const auto& name = settings.peers.at(settings.node.self).host;
    for (const auto until = steady_now() + own_name_patience;;) {
        auto host = resolve_host(name);
        if (host || steady_now() > until || signals.take()) return host;
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
}

TransportOptions transport_options(const Settings& settings, Incarnation incarnation, const std::string& own_host) {
    const auto& node = settings.node;
    // A token holds bids up to token_bytes, and whoever bids first puts one batch on it whatever its size.
    const auto token_bytes_max = 2 * (node.token_bytes + node.client_limits.batch_bytes);
    return {
        .self = node.self,
        .incarnation = incarnation,
        .nodes = settings.peers,
        .bind_host = bind_host_of(settings, own_host),
        .own_host = own_host,
        .client_port = settings.port,
        .control_port = settings.cluster_port,
        .link_ports = settings.link_ports,
        .client_frame_bytes_max = 2 * node.client_limits.batch_bytes,
        .client_bounds = {.connections = settings.connections, .memory_bytes = memory_bytes_max(settings)},
        .link_frame_bytes_max = token_bytes_max,
        .heartbeat = {.every = std::chrono::duration_cast<std::chrono::milliseconds>(node.timing.heartbeat),
                      .timeout = std::chrono::duration_cast<std::chrono::milliseconds>(node.timing.heartbeat_timeout)}};
}

/// Asks the loop for what can be said of its report; nothing: it stands still.
template <class Answer>
std::optional<Answer> ask_loop(Mailbox<Question>& questions, std::function<Answer(const Report&)> say) {
    auto answer = std::make_shared<std::promise<Answer>>();
    auto coming = answer->get_future();
    questions.put([answer, say = std::move(say)](const Report& report) { answer->set_value(say(report)); });
    if (coming.wait_for(report_patience) != std::future_status::ready) return std::nullopt;
    return coming.get();
}

/// Answers an HTTP request from the loop's own report, so that a loop that stands still shows.
HttpAnswer answer_http(const std::string& path, Mailbox<Question>& questions, const Life& life) {
    if (auto page = page_answer(path)) return std::move(*page);
    auto answer = ask_loop<HttpAnswer>(
        questions, [path, &life](const Report& report) { return http_answer(path, report, life, steady_now()); });
    return answer ? std::move(*answer) : HttpAnswer{503, "text/plain; charset=utf-8", "the node does not answer\n"};
}

Incarnation new_incarnation() {
    std::random_device device;
    std::uniform_int_distribution<std::uint64_t> number{1};
    return Incarnation{number(device)};
}

/// As many connections as were asked for, if the limit of open files allows it.
Result<void> fit_connections(Settings& settings) {
    const auto most = connections_that_fit();
    if (!most) return tl::unexpected{most.error()};
    if (settings.connections > *most) {
        spdlog::warn(
            "the limit of open files allows {} client connections, not {} (connections); raise it with "
            "ulimit -n or LimitNOFILE",
            *most, settings.connections);
        settings.connections = *most;
    }
    return {};
}

Ending run(Settings settings) {
    Signals signals;  // before any thread
    explain_sigbus(exit_code_of(ErrorCode::outside_hands));
    start_log(settings);
    if (const auto fits = fit_connections(settings); !fits) return ending_of(fits.error());
    if (const auto armed = fail_points::arm_from_environment(); !armed) return ending_of(armed.error());
    const auto self = settings.node.self;
    const auto own_host = find_own_host(settings, signals);
    if (!own_host) {
        return {2, fmt::format("peers (ANEL_PEERS), entry {}={}: {}; allowed is a name or number that others reach "
                               "this node by",
                               self.value, to_text(settings.peers.at(self)), own_host.error().text)};
    }
    SharedHistogram sync_us;
    Feed feed{settings.status_viewers_max};
    FeedFigures feed_figures;
    const Life life{settings, new_incarnation(), moment_now(), &sync_us, &feed, &feed_figures};

    zmq::context_t context;
    if (const auto other = who_answers_at(context, *own_host, settings.cluster_port); other && other->id == self) {
        return {exit_id_taken, fmt::format("id = {}: a running node with this id answers at {}; allowed is an id that "
                                           "no running node has",
                                           self.value, tcp_address(*own_host, settings.cluster_port))};
    }
    const auto options = transport_options(settings, life.incarnation, *own_host);
    const auto transport = Transport::open(context, options, steady_now());
    if (!transport) return ending_of(transport.error());

    Mailbox<Question> questions;
    std::unique_ptr<RingWatch> watch;
    std::unique_ptr<HttpServer> http;
    if (settings.http_port != 0) {
        auto started = HttpServer::start(settings.http_bind, settings.http_port, feed, [&](std::string_view path) {
            return answer_http(std::string{path}, questions, life);
        });
        if (!started) return ending_of(started.error());
        http = std::move(*started);
        watch = std::make_unique<RingWatch>(RingWatch::Parts{
            .context = context, .settings = settings, .ipv6 = is_ipv6(*own_host), .feed = feed, .own_figures = [&] {
                return ask_loop<std::string>(
                           questions,
                           [&life](const Report& report) { return figures_json(report, life, steady_now()); })
                    .value_or(std::string{});
            }});
    }

    Mailbox<SyncResult> syncs;
    LedgerOptions ledger_options;
    ledger_options.folder = settings.data;
    ledger_options.nodes = settings.node.nodes;
    ledger_options.self = self;
    ledger_options.format = settings.node.format;
    ledger_options.rotation = settings.rotation;
    ledger_options.adopt = settings.adopt;
    ledger_options.sync_took = [&](std::chrono::microseconds took) {
        sync_us.observe(static_cast<std::uint64_t>(took.count()));
    };
    ledger_options.durable = [&](SyncResult result) { syncs.put(std::move(result)); };
    const auto ledger = FileLedger::open(ledger_options);
    if (!ledger) return ending_of(ledger.error());
    const auto history = (*ledger)->read(Round{});
    if (!history) return ending_of(history.error());
    std::unique_ptr<OutputFeed> output_feed;
    if (settings.feed_port != 0) {
        auto started = OutputFeed::start(context, {.folder = settings.data,
                                                   .bind_address = tcp_address(options.bind_host, settings.feed_port),
                                                   .ipv6 = is_ipv6(*own_host),
                                                   .now = steady_now,
                                                   .figures = feed_figures});
        if (!started) return ending_of(started.error());
        output_feed = std::move(*started);
    }

    FileSystem files;
    BidFiles bids{files, settings.data, self};
    std::random_device seed;
    Node node{settings.node, life.incarnation, (*ledger)->id(), *history, std::mt19937_64{seed()}, moment_now()};
    spdlog::info("anel {} incarnation {:016x}: clients at {}, nodes at {}, ledger {} up to round {}", ANEL_VERSION,
                 life.incarnation.value, settings.port, settings.cluster_port, settings.data, history->tip.round.value);
    Daemon daemon{{.node = node,
                   .ledger = **ledger,
                   .transport = **transport,
                   .bids = bids,
                   .signals = signals,
                   .syncs = syncs,
                   .questions = questions},
                  self,
                  settings.node.client_limits,
                  {.status = [&](const Report& report) { return status_json(report, life, steady_now()); },
                   .figures = [&](const Report& report) { return figures_json(report, life, steady_now()); }}};
    auto ending = daemon.run();
    if (ending.exit_code == 0) spdlog::info("left the ring");
    return ending;
}

}  // namespace
}  // namespace anel

int main(int argc, char** argv) {
    const auto asked = anel::read_command_line({argv + 1, argv + argc});
    if (!asked) {
        fmt::print(stderr, "aneld: {}\n", asked.error().text);
        return anel::exit_code_of(asked.error().code);
    }
    if (!asked->print.empty()) {
        fmt::print("{}", asked->print);
        return 0;
    }
    const auto ending = anel::run(asked->settings);
    if (!ending.text.empty()) fmt::print(stderr, "aneld: {}\n", ending.text);
    return ending.exit_code;
}

// The table of everything that can be set.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "ring/daemon/settings.hpp"

namespace anel {
namespace {

using std::string_view;

template <class Number>
bool parse_number(string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

struct Names {
    const char* key;
    const char* environment;
};
template <class Number>
struct Range {
    Number least;
    Number most;
};

template <class Number>
Key number(Names names, Range<Number> range, std::string help, std::function<Number&(Settings&)> field) {
    return Key{.name = names.key,
               .environment = names.environment,
               .allowed = fmt::format("an integer from {} to {}", range.least, range.most),
               .help = std::move(help),
               .set =
                   [range, field](Settings& settings, string_view text) {
                       Number value{};
                       if (!parse_number(text, value) || value < range.least || value > range.most) return false;
                       field(settings) = value;
                       return true;
                   },
               .show =
                   [field](const Settings& settings) {
                       auto copy = settings;
                       return fmt::format("{}", field(copy));
                   }};
}

/// A number of bytes, with KiB, MiB or GiB behind it if wanted.
Key bytes(Names names, Range<std::uint64_t> range, std::string help, std::function<std::uint64_t&(Settings&)> field) {
    auto key = number<std::uint64_t>(names, range, std::move(help), field);
    key.allowed = fmt::format("bytes from {} to {}, KiB, MiB or GiB may follow", range.least, range.most);
    key.set = [range, field](Settings& settings, string_view text) {
        std::uint64_t unit = 1;
        constexpr std::array<std::pair<string_view, std::uint64_t>, 3> units{
            {{"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}}};
        for (const auto& [suffix, factor] : units) {
            if (!text.ends_with(suffix)) continue;
            text.remove_suffix(suffix.size());
            unit = factor;
            break;
        }
        std::uint64_t value = 0;
        if (!parse_number(text, value) || value > range.most / unit || value * unit < range.least) return false;
        field(settings) = value * unit;
        return true;
    };
    return key;
}

Key milliseconds(Names names, Range<std::int64_t> range, std::string help, std::function<Duration&(Settings&)> field) {
    return Key{.name = names.key,
               .environment = names.environment,
               .allowed = fmt::format("milliseconds from {} to {}", range.least, range.most),
               .help = std::move(help),
               .set =
                   [range, field](Settings& settings, string_view text) {
                       std::int64_t value = 0;
                       if (!parse_number(text, value) || value < range.least || value > range.most) return false;
                       field(settings) = std::chrono::milliseconds{value};
                       return true;
                   },
               .show =
                   [field](const Settings& settings) {
                       auto copy = settings;
                       return fmt::format("{}", field(copy).count() / 1000);
                   }};
}

/// Where to listen.
Key address(Names names, std::string help, std::string Settings::*field) {
    return Key{.name = names.key,
               .environment = names.environment,
               .allowed = "a numeric address of this machine, or *",
               .help = std::move(help),
               .set =
                   [field](Settings& settings, string_view text) {
                       settings.*field = text;
                       return text == "*" || is_numeric_host(settings.*field);
                   },
               .show = [field](const Settings& settings) { return settings.*field; }};
}

bool parse_peers(Settings& settings, string_view text) {
    std::map<NodeId, Endpoint> peers;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const auto entry = text.substr(0, comma);
        text = comma == string_view::npos ? string_view{} : text.substr(comma + 1);
        if (comma != string_view::npos && text.empty()) return false;
        const auto equals = entry.find('=');
        NodeId id;
        if (equals == string_view::npos || !parse_number(entry.substr(0, equals), id.value)) return false;
        const auto endpoint = parse_endpoint(entry.substr(equals + 1));
        if (!endpoint || id.value >= limits::nodes_max || !peers.emplace(id, *endpoint).second) return false;
        for (const auto& [other, where] : peers) {
            if (other != id && where == *endpoint) return false;
        }
    }
    settings.peers = std::move(peers);
    return true;
}

std::string show_peers(const Settings& settings) {
    std::string text;
    for (const auto& [id, endpoint] : settings.peers) {
        text += fmt::format("{}{}={}", text.empty() ? "" : ",", id.value, to_text(endpoint));
    }
    return text;
}

bool parse_link_ports(Settings& settings, string_view text) {
    PortRange range;
    const auto dash = text.find('-');
    if (text == "0") {
        settings.link_ports = range;
        return true;
    }
    if (dash == string_view::npos || !parse_number(text.substr(0, dash), range.first) ||
        !parse_number(text.substr(dash + 1), range.last) || range.first == 0 || range.first > range.last) {
        return false;
    }
    settings.link_ports = range;
    return true;
}

Key word(Names names, std::vector<std::string> words, std::string help, std::function<void(Settings&, string_view)> set,
         std::function<std::string(const Settings&)> show) {
    std::string allowed;
    for (const auto& one : words) allowed += (allowed.empty() ? "" : " or ") + one;
    return Key{.name = names.key,
               .environment = names.environment,
               .allowed = std::move(allowed),
               .help = std::move(help),
               .set =
                   [words, set](Settings& settings, string_view text) {
                       if (std::find(words.begin(), words.end(), text) == words.end()) return false;
                       set(settings, text);
                       return true;
                   },
               .show = std::move(show)};
}

std::uint64_t& as_64(std::size_t& field) {
    static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
    return field;
}

std::vector<Key> make_keys() {
    using Port = std::uint16_t;
    constexpr std::uint64_t kib = 1024;
    constexpr std::uint64_t mib = 1024 * kib;
    constexpr std::uint64_t gib = 1024 * mib;
    constexpr Port last_port = 65'535;
    std::vector<Key> keys;
    keys.push_back(number<std::uint64_t>(
        {"id", "ID"}, {0, limits::nodes_max - 1}, "this node's number in the ring",
        [](Settings & s) -> auto& { return s.node.self.value; }));
    keys.push_back(number<Port>(
        {"port", "PORT"}, {1, last_port}, "where clients connect to", [](Settings & s) -> auto& { return s.port; }));
    keys.push_back(number<Port>(
        {"cluster_port", "CLUSTER_PORT"}, {1, last_port},
        "where other nodes connect to; by default what peers says, or 6000",
        [](Settings & s) -> auto& { return s.cluster_port; }));
    keys.push_back({"peers", "ANEL_PEERS", "id=host:cluster_port,..., each id from 0 to 63 and each place once",
                    "every node of the ring, this one included; none: a ring of one", parse_peers, show_peers});
    keys.push_back({"data", "ANEL_DATA", "a folder", "where output.txt and its journal are",
                    [](Settings& s, string_view text) {
                        s.data = text;
                        return !text.empty() && text.find('\0') == string_view::npos;
                    },
                    [](const Settings& s) { return s.data; }});
    keys.push_back(word(
        {"format", "ANEL_FORMAT"}, {"classic", "jsonl"}, "of output.txt, fixed when it is made",
        [](Settings& s, string_view text) {
            s.node.format = text == "jsonl" ? OutputFormat::jsonl : OutputFormat::classic;
        },
        [](const Settings& s) { return std::string{s.node.format == OutputFormat::jsonl ? "jsonl" : "classic"}; }));
    keys.push_back(word(
        {"adopt", "ANEL_ADOPT"}, {"true", "false"}, "a new ledger may begin behind an existing output.txt",
        [](Settings& s, string_view text) { s.adopt = text == "true"; },
        [](const Settings& s) { return std::string{s.adopt ? "true" : "false"}; }));
    keys.push_back(address({"bind", "ANEL_BIND"},
                           "where to listen; by default loopback where peers names this node so, else everywhere",
                           &Settings::bind));
    keys.push_back(number<Port>(
        {"http_port", "ANEL_HTTP_PORT"}, {0, last_port}, "metrics, health and status by HTTP; 0: none",
        [](Settings & s) -> auto& { return s.http_port; }));
    keys.push_back(address({"http_bind", "ANEL_HTTP_BIND"},
                           "where to listen for HTTP; others than this machine need another one, or *",
                           &Settings::http_bind));
    keys.push_back(number<std::uint64_t>(
        {"status_viewers_max", "ANEL_STATUS_VIEWERS_MAX"}, {0, 256}, "who may look at the status page at once",
        [](Settings & s) -> auto& { return s.status_viewers_max; }));
    keys.push_back(number<Port>(
        {"feed_port", "ANEL_FEED_PORT"}, {0, last_port}, "where readers get the durable output; 0: nowhere",
        [](Settings & s) -> auto& { return s.feed_port; }));
    keys.push_back({"link_ports", "ANEL_LINK_PORTS", "first-last, ports from 1 to 65535, or 0: any free one",
                    "where links of the ring are bound", parse_link_ports, [](const Settings& s) {
                        return s.link_ports.first == 0 ? std::string{"0"}
                                                       : fmt::format("{}-{}", s.link_ports.first, s.link_ports.last);
                    }});
    keys.push_back(word(
        {"log", "ANEL_LOG"}, {"error", "warn", "info", "debug"}, "how much is said on stderr",
        [](Settings& s, string_view text) { s.log_level = text; }, [](const Settings& s) { return s.log_level; }));
    keys.push_back(milliseconds(
        {"linger_ms", "ANEL_LINGER_MS"}, {0, 60'000}, "a round waits so long for bids of other nodes",
        [](Settings & s) -> auto& { return s.node.linger; }));
    keys.push_back(number<std::int64_t>(
        {"token_timeout_ms", "ANEL_TOKEN_TIMEOUT_MS"}, {60, 60'000},
        "the token is overdue after so long; all other times follow from it",
        [](Settings & s) -> auto& { return s.token_timeout_ms; }));
    auto patience = milliseconds(
        {"leave_patience_ms", "ANEL_LEAVE_PATIENCE_MS"}, {0, 60'000},
        "when told to stop: for what was taken; by default ten token time-outs",
        [](Settings & s) -> auto& { return s.leave_patience ? *s.leave_patience : s.leave_patience.emplace(); });
    patience.show = [](const Settings& s) { return fmt::format("{}", s.node.timing.leave_patience.count() / 1000); };
    keys.push_back(std::move(patience));
    keys.push_back(bytes(
        {"message_bytes", "ANEL_MESSAGE_BYTES"}, {1, 64 * mib}, "of one message at most",
        [](Settings & s) -> auto& { return as_64(s.node.client_limits.message_bytes); }));
    keys.push_back(bytes(
        {"batch_bytes", "ANEL_BATCH_BYTES"}, {kib, 128 * mib}, "of one push at most",
        [](Settings & s) -> auto& { return as_64(s.node.client_limits.batch_bytes); }));
    keys.push_back(bytes(
        {"window_bytes", "ANEL_WINDOW_BYTES"}, {kib, gib}, "taken and unwritten, of one client",
        [](Settings & s) -> auto& { return as_64(s.node.client_limits.window_bytes); }));
    keys.push_back(bytes(
        {"pending_bytes", "ANEL_PENDING_BYTES"}, {kib, 16 * gib}, "taken and unwritten, of all clients of this node",
        [](Settings & s) -> auto& { return as_64(s.node.pending_bytes); }));
    keys.push_back(bytes(
        {"bid_bytes", "ANEL_BID_BYTES"}, {kib, 4 * mib}, "of one bid, beyond its first batch",
        [](Settings & s) -> auto& { return as_64(s.node.bid_bytes); }));
    keys.push_back(bytes(
        {"token_bytes", "ANEL_TOKEN_BYTES"}, {kib, 256 * mib}, "of all bids of a round, but for the opener's",
        [](Settings & s) -> auto& { return as_64(s.node.token_bytes); }));
    keys.push_back(bytes(
        {"place_bids_from", "ANEL_PLACE_BIDS_FROM"}, {0, 256 * mib},
        "bids that large lie on the volume, not on the token; 0: none",
        [](Settings & s) -> auto& { return as_64(s.node.place_bids_from); }));
    keys.push_back(number<std::uint64_t>(
        {"clients", "ANEL_CLIENTS"}, {1, 1'000'000}, "client ids this node remembers",
        [](Settings & s) -> auto& { return as_64(s.node.clients); }));
    keys.push_back(number<std::uint64_t>(
        {"sessions", "ANEL_SESSIONS"}, {1, 10'000'000}, "of the ledger; beyond it the idlest retire",
        [](Settings & s) -> auto& { return as_64(s.node.sessions); }));
    keys.push_back(number<std::int64_t>(
        {"session_idle_s", "ANEL_SESSION_IDLE_S"}, {0, 31'536'000}, "seconds; a session used since is not idle",
        [](Settings & s) -> auto& { return s.session_idle_s; }));
    keys.push_back(number<std::uint64_t>(
        {"connections", "ANEL_CONNECTIONS"}, {1, 1'000'000}, "of clients at once; one more is cut",
        [](Settings & s) -> auto& { return as_64(s.connections); }));
    keys.push_back(bytes(
        {"unread_bytes", "ANEL_UNREAD_BYTES"}, {mib, 256 * gib},
        "received from all clients and not yet read; above it those with most are cut",
        [](Settings & s) -> auto& { return s.unread_bytes; }));
    keys.push_back(bytes(
        {"segment_bytes", "ANEL_SEGMENT_BYTES"}, {64 * kib, 16 * gib}, "of one piece of the journal",
        [](Settings & s) -> auto& { return s.node.segment_bytes; }));
    keys.push_back(bytes(
        {"checkpoint_bytes", "ANEL_CHECKPOINT_BYTES"}, {64 * kib, 16 * gib}, "of journal between two checkpoints",
        [](Settings & s) -> auto& { return s.node.checkpoint_bytes; }));
    keys.push_back(number<std::uint64_t>(
        {"checkpoint_rounds", "ANEL_CHECKPOINT_ROUNDS"}, {1, 10'000'000}, "rounds between two checkpoints",
        [](Settings & s) -> auto& { return s.node.checkpoint_rounds; }));
    keys.push_back(bytes(
        {"output_bytes", "ANEL_OUTPUT_BYTES"}, {0, 1024 * gib},
        "of one file of the output, then a new one; 0: no limit",
        [](Settings & s) -> auto& { return s.rotation.bytes; }));
    keys.push_back(number<std::uint64_t>(
        {"output_rounds", "ANEL_OUTPUT_ROUNDS"}, {0, 1'000'000'000}, "rounds in one file of the output; 0: no limit",
        [](Settings & s) -> auto& { return s.rotation.rounds; }));
    keys.push_back(number<std::uint64_t>(
        {"output_seconds", "ANEL_OUTPUT_SECONDS"}, {0, 31'536'000},
        "a new file of the output for each period, counted from 1970 UTC (86400: each day); 0: none",
        [](Settings & s) -> auto& { return s.rotation.seconds; }));
    return keys;
}

}  // namespace

std::string Key::flag() const {
    auto text = "--" + name;
    std::replace(text.begin(), text.end(), '_', '-');
    return text;
}

const std::vector<Key>& setting_keys() {
    static const std::vector<Key> keys = make_keys();
    return keys;
}

}  // namespace anel

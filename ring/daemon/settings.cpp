#include "ring/daemon/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace anel {
namespace {

tl::unexpected<Error> wrong(std::string text) { return failure(ErrorCode::bad_configuration, std::move(text)); }

Result<void> relate(Settings& settings) {
    auto& node = settings.node;
    const auto& client = node.client_limits;
    if (client.message_bytes >= client.batch_bytes) {
        return wrong(fmt::format("message_bytes = {}: allowed is less than batch_bytes, which is {}",
                                 client.message_bytes, client.batch_bytes));
    }
    if (client.batch_bytes > client.window_bytes) {
        return wrong(fmt::format("batch_bytes = {}: allowed is at most window_bytes, which is {}", client.batch_bytes,
                                 client.window_bytes));
    }
    if (client.window_bytes > node.pending_bytes) {
        return wrong(fmt::format("window_bytes = {}: allowed is at most pending_bytes, which is {}",
                                 client.window_bytes, node.pending_bytes));
    }
    if (client.batch_bytes > node.token_bytes) {
        return wrong(fmt::format("batch_bytes = {}: allowed is at most token_bytes, which is {}", client.batch_bytes,
                                 node.token_bytes));
    }
    if (settings.peers.empty()) {
        if (settings.cluster_port == 0) settings.cluster_port = 6000;
        settings.peers[node.self] = Endpoint{"127.0.0.1", settings.cluster_port};
    }
    const auto own = settings.peers.find(node.self);
    if (own == settings.peers.end()) {
        std::string ids;
        for (const auto& [id, endpoint] : settings.peers) ids += fmt::format("{}{}", ids.empty() ? "" : ", ", id.value);
        return wrong(fmt::format("id = {}: allowed is a node that peers (ANEL_PEERS) names: {}", node.self.value, ids));
    }
    if (settings.cluster_port == 0) settings.cluster_port = own->second.port;
    if (settings.cluster_port != own->second.port) {
        return wrong(fmt::format("cluster_port = {}: allowed is what peers (ANEL_PEERS) says of node {}: {}",
                                 settings.cluster_port, node.self.value, own->second.port));
    }
    for (const auto port : {settings.cluster_port, settings.http_port}) {
        if (port != settings.port) continue;
        return wrong(fmt::format("port = {}: allowed is another one than cluster_port and http_port", port));
    }
    if (settings.http_port == settings.cluster_port) {
        return wrong(fmt::format("http_port = {}: allowed is another one than cluster_port", settings.http_port));
    }
    for (const auto port : {settings.port, settings.cluster_port, settings.http_port}) {
        if (port == 0 || port != settings.feed_port) continue;
        return wrong(fmt::format("feed_port = {}: allowed is another one than port, cluster_port and http_port", port));
    }
    node.nodes.clear();
    for (const auto& [id, endpoint] : settings.peers) node.nodes.insert(id);
    node.timing = Timing::from(std::chrono::milliseconds{settings.token_timeout_ms});
    if (settings.leave_patience) {
        const auto patience = *settings.leave_patience;
        if (patience != Duration{0} && patience < node.timing.token_timeout) {
            return wrong(
                fmt::format("leave_patience_ms = {}: allowed is 0, or token_timeout_ms at least, which is {}: "
                            "what was taken waits for the token",
                            patience.count() / 1000, settings.token_timeout_ms));
        }
        node.timing.leave_patience = patience;
    }
    node.session_idle_us = settings.session_idle_s * 1'000'000;
    return {};
}

std::string quoted(const std::string& value) {
    const bool number =
        !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number || value == "true" || value == "false") return value;
    std::string text = "\"";
    for (const char letter : value) {
        if (letter == '"' || letter == '\\') text += '\\';
        text += letter;
    }
    return text + '"';
}

/// What a value of the file would be on the command line; none: it is of no such kind.
std::optional<std::string> plain_value(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
    return std::nullopt;
}

}  // namespace

Result<Settings> settle(const std::vector<Source>& sources) {
    Settings settings;
    for (const auto& key : setting_keys()) {
        for (const auto& source : sources) {
            const auto value = source.values.find(key.name);
            if (value == source.values.end()) continue;
            if (!key.set(settings, value->second)) {
                return wrong(fmt::format("{} = \"{}\" (from {}): allowed is {}", key.name, value->second, source.name,
                                         key.allowed));
            }
            break;
        }
    }
    if (auto related = relate(settings); !related) return tl::unexpected{related.error()};
    return settings;
}

std::string bind_host_of(const Settings& settings, const std::string& own_host) {
    if (!settings.bind.empty()) return settings.bind;
    return is_loopback(own_host) ? own_host : "*";
}

Values values_of_environment() {
    Values values;
    for (const auto& key : setting_keys()) {
        const char* value = std::getenv(key.environment.c_str());
        if (value != nullptr && *value != '\0') values[key.name] = value;
    }
    return values;
}

Result<Values> values_of_toml(std::string_view text, const std::string& name) {
    const auto parsed = toml::parse(text, name);
    if (!parsed) {
        const auto& error = parsed.error();
        return wrong(fmt::format("{}:{}: {}", name, error.source().begin.line, error.description()));
    }
    Values values;
    for (const auto& [toml_key, node] : parsed.table()) {
        const std::string key{toml_key.str()};
        const auto line = node.source().begin.line;
        const auto& keys = setting_keys();
        const auto known = std::find_if(keys.begin(), keys.end(), [&](const Key& one) { return one.name == key; });
        if (known == keys.end()) {
            std::string names;
            for (const auto& one : keys) names += (names.empty() ? "" : ", ") + one.name;
            return wrong(fmt::format("{}:{}: {} is no key; allowed are {}", name, line, key, names));
        }
        const auto value = plain_value(node);
        if (!value)
            return wrong(
                fmt::format("{}:{}: {} has a value of a wrong kind: allowed is {}", name, line, key, known->allowed));
        values[key] = *value;
    }
    return values;
}

Result<Values> values_of_file(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "rbe");
    if (file == nullptr)
        return wrong(
            fmt::format("config = \"{}\": {}; allowed is a file that can be read", path, std::strerror(errno)));
    std::string text;
    std::array<char, 4096> buffer{};
    constexpr std::size_t bytes_max = 1024 * 1024;
    for (std::size_t got = 1; got > 0 && text.size() <= bytes_max;) {
        got = std::fread(buffer.data(), 1, buffer.size(), file);
        text.append(buffer.data(), got);
    }
    const bool failed = std::ferror(file) != 0;
    std::fclose(file);
    if (failed) return wrong(fmt::format("config = \"{}\": it cannot be read; allowed is a file", path));
    if (text.size() > bytes_max) return wrong(fmt::format("config = \"{}\": allowed are {} bytes", path, bytes_max));
    return values_of_toml(text, path);
}

std::string as_toml(const Settings& settings) {
    std::string text;
    for (const auto& key : setting_keys()) {
        const auto value = key.show(settings);
        text += fmt::format("{}{} = {}  # {}; {}, {}\n", value.empty() ? "# " : "", key.name, quoted(value), key.help,
                            key.allowed, key.environment);
    }
    return text;
}

}  // namespace anel

#include "client/options.hpp"

#include <fmt/format.h>

#include <charconv>

#include "client/address.hpp"
#include "common/client_protocol.hpp"

namespace anel::client {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, port);
    if (read.ec != std::errc{} || read.ptr != end || port == 0) return std::nullopt;
    return port;
}

tl::unexpected<Error> bad(std::string text) { return failure(ErrorCode::bad_configuration, std::move(text)); }

}  // namespace

Result<Address> parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    const auto port = colon == std::string::npos ? std::nullopt : parse_port(std::string_view{text}.substr(colon + 1));
    auto host = text.substr(0, colon == std::string::npos ? 0 : colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (!port || host.empty() || host.find_first_of(" \t/") != std::string::npos) {
        return bad(fmt::format("'{}' is not host:port with a port from 1 to 65535", text));
    }
    return Address{std::move(host), *port};
}

Result<std::vector<std::string>> parse_nodes(const std::string& text) {
    std::vector<std::string> nodes;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const auto comma = std::min(text.find(',', begin), text.size());
        const auto one = text.substr(begin, comma - begin);
        begin = comma + 1;
        if (one.empty()) continue;
        const auto dots = one.find("..");
        const auto address = parse_address(one.substr(0, dots));
        if (!address) return tl::unexpected{address.error()};
        auto last = std::optional{address->port};
        if (dots != std::string::npos) last = parse_port(std::string_view{one}.substr(dots + 2));
        if (!last || *last < address->port || *last >= address->port + limits::nodes_max) {
            return bad(fmt::format("'{}' is not a range of ports such as 127.0.0.1:5000..5004", one));
        }
        const auto host = address->host.find(':') == std::string::npos ? address->host : "[" + address->host + "]";
        for (unsigned port = address->port; port <= *last; ++port) nodes.push_back(fmt::format("{}:{}", host, port));
    }
    if (nodes.empty()) return bad(fmt::format("'{}' names no node; host:port, with commas between", text));
    return nodes;
}

Result<void> check(const Options& options) {
    if (options.nodes.empty()) return bad("no node is named; one host:port at least");
    for (const auto& node : options.nodes) {
        if (const auto address = parse_address(node); !address) return tl::unexpected{address.error()};
    }
    if (options.client_id.size() > limits::client_id_bytes_max) {
        return bad(fmt::format("a client id of {} bytes, 1 to {} are allowed", options.client_id.size(),
                               limits::client_id_bytes_max));
    }
    if (options.client_id.starts_with(anonymous_prefix)) {
        return bad(fmt::format("client id '{}': ids that begin with '{}' belong to the nodes", options.client_id,
                               anonymous_prefix));
    }
    if (options.batch_messages == 0 || options.batch_messages > limits::batch_messages_max) {
        return bad(fmt::format("{} messages in a batch, 1 to {} are allowed", options.batch_messages,
                               limits::batch_messages_max));
    }
    if (options.message_bytes == 0) return bad("a message of 0 bytes at most lets nothing pass");
    if (options.window_messages == 0 || options.window_bytes == 0) return bad("a window of 0 lets nothing pass");
    return {};
}

}  // namespace anel::client

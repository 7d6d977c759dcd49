// Where a socket is: names for people, numbers for sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace anel {

struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// `host:port` or `[numeric IPv6]:port`; the port is 1 to 65535.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::string to_text(const Endpoint& endpoint);

/// The numeric host of a name, IPv4 first. Blocks, perhaps for seconds.
[[nodiscard]] Result<std::string> resolve_host(const std::string& host);
[[nodiscard]] bool is_numeric_host(const std::string& host);
/// Of a numeric host: only this machine reaches it.
[[nodiscard]] bool is_loopback(const std::string& numeric_host);
[[nodiscard]] bool is_ipv6(const std::string& numeric_host);

/// `tcp://1.2.3.4:5` or `tcp://[::1]:5`, as ZeroMQ wants it.
[[nodiscard]] std::string tcp_address(const std::string& numeric_host, std::uint16_t port);
/// Whether the text is such an address and nothing else: an address that a peer told is connected to only then.
[[nodiscard]] bool is_numeric_tcp_address(std::string_view text);

/// Whether somebody accepts connections there, found out by connecting. Blocks for at most `timeout_ms`.
[[nodiscard]] bool accepts_connections(const std::string& numeric_host, std::uint16_t port, int timeout_ms);

}  // namespace anel

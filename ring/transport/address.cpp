#include "ring/transport/address.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "common/descriptor.hpp"

namespace anel {
namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

tl::expected<Addresses, int> look_up(const std::string& host, const char* service, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(host.c_str(), service, &hints, &list);
    if (error != 0) return tl::unexpected{error};
    return Addresses{list};
}

std::string numeric(const addrinfo& entry) {
    std::array<char, NI_MAXHOST> text{};
    getnameinfo(entry.ai_addr, entry.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
    return text.data();
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) return std::nullopt;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
        if (!is_ipv6(std::string{host}) || !is_numeric_host(std::string{host})) return std::nullopt;
        return Endpoint{std::string{host}, port};
    }
    const auto belongs = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '.' || letter == '-' || letter == '_';
    };
    if (host.size() > 253 || !std::all_of(host.begin(), host.end(), belongs)) return std::nullopt;
    return Endpoint{std::string{host}, port};
}

std::string to_text(const Endpoint& endpoint) {
    return is_ipv6(endpoint.host) ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
                                  : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

Result<std::string> resolve_host(const std::string& host) {
    const auto found = look_up(host, nullptr, 0);
    if (!found) {
        return failure(ErrorCode::unreachable, fmt::format("{}: {}", host, gai_strerror(found.error())));
    }
    const addrinfo* chosen = found->get();
    for (const addrinfo* entry = chosen; entry != nullptr; entry = entry->ai_next) {
        if (entry->ai_family == AF_INET) {
            chosen = entry;
            break;
        }
    }
    return numeric(*chosen);
}

bool is_numeric_host(const std::string& host) { return look_up(host, nullptr, AI_NUMERICHOST).has_value(); }

bool is_loopback(const std::string& numeric_host) { return numeric_host.starts_with("127.") || numeric_host == "::1"; }

bool is_ipv6(const std::string& numeric_host) { return numeric_host.find(':') != std::string::npos; }

std::string tcp_address(const std::string& numeric_host, std::uint16_t port) {
    return "tcp://" + to_text(Endpoint{numeric_host, port});
}

bool is_numeric_tcp_address(std::string_view text) {
    constexpr std::string_view scheme = "tcp://";
    if (!text.starts_with(scheme)) return false;
    const auto endpoint = parse_endpoint(text.substr(scheme.size()));
    return endpoint && is_numeric_host(endpoint->host);
}

bool accepts_connections(const std::string& numeric_host, std::uint16_t port, int timeout_ms) {
    const auto found = look_up(numeric_host, std::to_string(port).c_str(), AI_NUMERICHOST | AI_NUMERICSERV);
    if (!found) return false;
    const addrinfo& entry = **found;
    const Descriptor socket{::socket(entry.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket.valid()) return false;
    if (connect(socket.get(), entry.ai_addr, entry.ai_addrlen) == 0) return true;
    if (errno != EINPROGRESS) return false;
    pollfd wait{socket.get(), POLLOUT, 0};
    if (poll(&wait, 1, timeout_ms) != 1) return false;
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

}  // namespace anel

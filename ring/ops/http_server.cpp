#include "ring/ops/http_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace anel {
namespace {

constexpr std::size_t request_bytes_max = 8192;
constexpr timeval patience{.tv_sec = 2, .tv_usec = 0};  ///< with one client, in each direction

std::string_view reason_of(int status) {
    if (status == 200) return "OK";
    if (status == 404) return "Not Found";
    if (status == 405) return "Method Not Allowed";
    if (status == 503) return "Service Unavailable";
    return "Bad Request";
}

/// Listens; -1 with errno where that is not possible.
int listen_at(const std::string& host, std::uint16_t port) {
    sockaddr_in6 six{};
    sockaddr_in four{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    const bool is_six = inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1;
    if (!is_six && host != "*" && inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    const int listener = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return -1;
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto* address = is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
    const socklen_t length = is_six ? sizeof six : sizeof four;
    if (bind(listener, address, length) != 0 || listen(listener, 16) != 0) {
        const int error = errno;
        close(listener);
        errno = error;
        return -1;
    }
    return listener;
}

/// The request's head; empty where none came in time or in size.
std::string receive_head(int connection) {
    std::string head;
    std::array<char, 2048> buffer{};
    while (head.size() < request_bytes_max) {
        const auto got = recv(connection, buffer.data(), buffer.size(), 0);
        if (got <= 0) return {};
        head.append(buffer.data(), static_cast<std::size_t>(got));
        if (head.find("\r\n\r\n") != std::string::npos || head.find("\n\n") != std::string::npos) return head;
    }
    return {};
}

void send_all(int connection, std::string_view text) {
    while (!text.empty()) {
        const auto sent = send(connection, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& bind_host, std::uint16_t port,
                                                      Handler handler) {
    const int listener = listen_at(bind_host, port);
    if (listener < 0) {
        const auto code = errno == EADDRINUSE ? ErrorCode::address_in_use : ErrorCode::bad_configuration;
        return failure(code, fmt::format("http://{}:{}: {}", bind_host, port, std::strerror(errno)));
    }
    return std::make_unique<HttpServer>(listener, eventfd(0, EFD_CLOEXEC), std::move(handler));
}

HttpServer::HttpServer(int listener, int stopper, Handler handler)
    : listener_{listener}, stopper_{stopper}, handler_{std::move(handler)}, thread_{[this] { serve(); }} {}

HttpServer::~HttpServer() {
    static_cast<void>(eventfd_write(stopper_, 1));
    thread_.join();
    close(listener_);
    close(stopper_);
}

void HttpServer::serve() {
    std::array<pollfd, 2> wait{{{listener_, POLLIN, 0}, {stopper_, POLLIN, 0}}};
    for (;;) {
        if (poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return;
        if (wait[1].revents != 0) return;
        if ((wait[0].revents & POLLIN) == 0) continue;
        const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) continue;
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        answer(connection);
        close(connection);
    }
}

void HttpServer::answer(int connection) const {
    const auto head = receive_head(connection);
    if (head.empty()) return;
    HttpAnswer reply;
    const auto target = head.find(' ');
    const auto end = head.find_first_of(" ?\r\n", target + 1);
    if (head.compare(0, 4, "GET ") != 0 || end == std::string::npos) {
        reply = {405, "text/plain; charset=utf-8", "GET only\n"};
    } else {
        reply = handler_(std::string_view{head}.substr(target + 1, end - target - 1));
    }
    send_all(connection, fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                                     "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
                                     reply.status, reason_of(reply.status), reply.content_type, reply.body.size()));
    send_all(connection, reply.body);
}

}  // namespace anel

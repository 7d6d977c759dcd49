#include "client/resolver.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace anel::client {
namespace {

bool is_numeric(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> raw{};
    return inet_pton(AF_INET, host.c_str(), raw.data()) == 1 || inet_pton(AF_INET6, host.c_str(), raw.data()) == 1;
}

std::string endpoint(const std::string& numeric, std::uint16_t port) {
    if (numeric.find(':') != std::string::npos) return fmt::format("tcp://[{}]:{}", numeric, port);
    return fmt::format("tcp://{}:{}", numeric, port);
}

std::optional<std::string> resolve(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_family = AF_UNSPEC;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
    // IPv4 first: containers and loopback names have it, IPv6 often only in part.
    const addrinfo* best = found;
    for (const auto* one = found; one != nullptr; one = one->ai_next) {
        if (one->ai_family == AF_INET) {
            best = one;
            break;
        }
    }
    std::array<char, NI_MAXHOST> text{};
    const int failed =
        getnameinfo(best->ai_addr, best->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    if (failed != 0) return std::nullopt;
    return std::string{text.data()};
}

}  // namespace

std::optional<std::string> resolve_now(const Address& address) {
    if (is_numeric(address.host)) return endpoint(address.host, address.port);
    const auto numeric = resolve(address.host);
    if (!numeric) return std::nullopt;
    return endpoint(*numeric, address.port);
}

Resolver::Resolver(std::function<void()> woken) : woken_{std::move(woken)} {}

Resolver::~Resolver() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    asked_.notify_one();
    if (thread_.joinable()) thread_.join();
}

std::optional<std::string> Resolver::endpoint_of(const Address& address) {
    if (is_numeric(address.host)) return endpoint(address.host, address.port);
    const std::lock_guard lock{mutex_};
    if (const auto known = numeric_.find(address.host); known != numeric_.end()) {
        return endpoint(known->second, address.port);
    }
    if (std::find(questions_.begin(), questions_.end(), address.host) == questions_.end()) {
        questions_.push_back(address.host);
        if (!thread_.joinable()) thread_ = std::thread{[this] { run(); }};
        asked_.notify_one();
    }
    return std::nullopt;
}

void Resolver::forget(const Address& address) {
    const std::lock_guard lock{mutex_};
    numeric_.erase(address.host);
}

void Resolver::run() {
    std::unique_lock lock{mutex_};
    while (true) {
        asked_.wait(lock, [&] { return stopping_ || !questions_.empty(); });
        if (stopping_) return;
        const auto host = questions_.front();
        lock.unlock();
        const auto numeric = resolve(host);
        lock.lock();
        questions_.pop_front();
        if (!numeric) continue;
        numeric_[host] = *numeric;
        lock.unlock();
        woken_();
        lock.lock();
    }
}

}  // namespace anel::client

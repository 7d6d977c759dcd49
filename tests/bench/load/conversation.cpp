#include "tests/bench/load/conversation.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <iostream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace anel::bench {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }

/// A connected socket that never blocks in send and receive, only in wait().
class Socket {
public:
    Socket(const Load& load, std::uint16_t port) : descriptor_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        if (descriptor_ < 0) fail("socket");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        ::inet_pton(AF_INET, load.host.c_str(), &address.sin_addr);
        if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
        const int yes = 1;
        ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() { ::close(descriptor_); }

    void send(std::string& out) {
        const auto sent = ::send(descriptor_, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) out.erase(0, static_cast<std::size_t>(sent));
        else if (sent < 0 && errno != EAGAIN) fail("send");
    }
    /// Appends what has come to `in`.
    void receive(std::string& in) {
        const auto before = in.size();
        in.resize(before + buffer_bytes);
        const auto got = ::recv(descriptor_, in.data() + before, buffer_bytes, MSG_DONTWAIT);
        in.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got == 0) throw std::runtime_error{"the peer closed the connection"};
        if (got < 0 && errno != EAGAIN) fail("receive");
    }
    void wait(bool also_to_send, Clock::duration most) {
        pollfd waiting{descriptor_, static_cast<short>(also_to_send ? POLLIN | POLLOUT : POLLIN), 0};
        if (::poll(&waiting, 1,
                   std::max(0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(most).count()))) < 0 &&
            errno != EINTR)
            fail("poll");
    }

private:
    static constexpr std::size_t buffer_bytes = 256 * 1024;
    int descriptor_;
};

void converse(const Load& load, std::size_t client, Conversation& conversation, Meter& meter) {
    Socket socket{load, load.ports[client % load.ports.size()]};
    std::string in;
    auto out = conversation.greeting();
    std::deque<Clock::time_point> asked;
    while (!meter.over()) {
        while (asked.size() < load.window && conversation.request(out)) asked.push_back(Clock::now());
        if (!out.empty()) socket.send(out);
        socket.wait(!out.empty(), meter.left());
        socket.receive(in);
        const auto taken = conversation.take(in, out);
        in.erase(0, taken.bytes);
        meter.acked(client, taken.acks * load.batch);
        const auto now = Clock::now();
        for (std::size_t ack = 0; ack < taken.acks; ++ack) {
            if (load.window == 1) meter.took(client, now - asked.front());
            asked.pop_front();
        }
    }
}

}  // namespace

void run_conversations(const Load& load, const MakeConversation& make) {
    Meter meter{load};
    std::vector<std::thread> threads;
    std::atomic<bool> failed{false};
    for (std::size_t client = 0; client < load.clients; ++client) {
        threads.emplace_back([&, client] {
            try {
                converse(load, client, *make(load, client), meter);
            } catch (const std::exception& error) {
                std::cerr << "client " << client << ": " << error.what() << '\n';
                failed = true;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    if (failed) throw std::runtime_error{"not every client could go on to the end"};
    meter.report();
}

}  // namespace anel::bench

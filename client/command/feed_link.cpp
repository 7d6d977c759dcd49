#include "client/command/feed_link.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "client/resolver.hpp"

namespace anel::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A node that lives answers within a heartbeat.
constexpr milliseconds patience = 3 * feed_heartbeat;
constexpr milliseconds slice{100};
constexpr milliseconds pause_after_all{500};

}  // namespace

bool FeedLink::open() {
    if (dealer_.is_open()) return true;
    const auto endpoint = client::resolve_now(addresses_[at_]);
    if (!endpoint) {
        leave("its name is not known");
        return false;
    }
    try {
        dealer_.open(*endpoint, client::Dealer::gone_events);
    } catch (const zmq::error_t& error) {
        leave(error.what());
        return false;
    }
    return true;
}

std::optional<FeedAnswer> FeedLink::ask(const FeedRead& request) {
    if (!open()) return std::nullopt;
    const auto frame = encode(request);
    (void)dealer_.socket().send(zmq::buffer(frame.data(), frame.size()), zmq::send_flags::dontwait);
    if (auto why = wait(); !why.empty()) {
        leave(std::move(why));
        return std::nullopt;
    }
    auto answer = decode_feed_answer({answer_.data<std::byte>(), answer_.size()});
    if (!answer) {
        leave(answer.error().text);
        return std::nullopt;
    }
    return std::move(*answer);
}

std::string FeedLink::wait() {
    for (const auto until = steady_clock::now() + patience;;) {
        if (ends_()) return "told to stop";
        std::array<zmq::pollitem_t, 2> items{
            {{dealer_.socket().handle(), 0, ZMQ_POLLIN, 0}, {dealer_.monitor().handle(), 0, ZMQ_POLLIN, 0}}};
        try {
            zmq::poll(items, slice);
            // An answer that came before the connection dropped is an answer.
            if (dealer_.socket().recv(answer_, zmq::recv_flags::dontwait)) return {};
            zmq::message_t event;
            if (dealer_.monitor().recv(event, zmq::recv_flags::dontwait))
                return "it is not there, or the connection dropped";
        } catch (const zmq::error_t& error) {
            if (error.num() != EINTR) return error.what();
        }
        if (steady_clock::now() > until) return "it does not answer";
    }
}

void FeedLink::leave(std::string why) {
    const auto& address = addresses_[at_];
    trouble_ = fmt::format("{}:{}: {}", address.host, address.port, why);
    dealer_.close();
    at_ = (at_ + 1) % addresses_.size();
    if (++left_ % addresses_.size() != 0) return;
    for (auto rest = pause_after_all; rest.count() > 0 && !ends_(); rest -= slice) std::this_thread::sleep_for(slice);
}

}  // namespace anel::command

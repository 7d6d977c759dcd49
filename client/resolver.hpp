// Names into numeric addresses, on a thread of its own: the name of a killed container can take seconds.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "client/address.hpp"

namespace anel::client {

/// The endpoint of an address, resolved on the caller's thread; nothing where the name is not known.
[[nodiscard]] std::optional<std::string> resolve_now(const Address& address);

class Resolver {
public:
    /// @param woken  called on the resolver's thread whenever an answer has come.
    explicit Resolver(std::function<void()> woken);
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// The endpoint ("tcp://1.2.3.4:5000") at once where the host is numeric or already resolved; nothing
    /// while it is being resolved: `woken` says when to ask again.
    [[nodiscard]] std::optional<std::string> endpoint_of(const Address& address);
    /// The link to this host failed: its address may have changed, resolve it again.
    void forget(const Address& address);

private:
    void run();

    std::function<void()> woken_;
    std::mutex mutex_;
    std::condition_variable asked_;
    std::map<std::string, std::string> numeric_;
    std::deque<std::string> questions_;
    bool stopping_ = false;
    std::thread thread_;  // started by the first name: numeric addresses need none
};

}  // namespace anel::client

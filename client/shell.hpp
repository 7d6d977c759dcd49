// The thread, the sockets and the clock around a session. It does what the session says and decides nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <zmq.hpp>

#include "client/address.hpp"
#include "client/client.hpp"
#include "client/link.hpp"
#include "client/outbox_file.hpp"
#include "client/resolver.hpp"
#include "client/session.hpp"

namespace anel::client {

class Client::Shell {
public:
    Shell(Options options, std::optional<OutboxFile> outbox, SessionOptions session_options);
    ~Shell();
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;

    tl::expected<Ordinal, Refused> push(std::string_view payload, Timestamp timestamp, Callback callback);
    bool wait_for_room(std::chrono::milliseconds deadline);
    bool flush(std::chrono::milliseconds deadline);
    bool close(std::chrono::milliseconds deadline, Farewell farewell);

    const std::string client_id;
    std::uint64_t restored = 0;
    Instance instance();
    std::size_t unsettled();
    std::string trouble();

private:
    struct Waiting {
        Ordinal ordinal;
        Callback callback;  ///< empty once called
    };

    void run();
    void step(const Input& input);
    void perform(const Action& action);
    void connect();
    void settled(const Settled& settled);
    KeptOutbox outbox_now();
    void kept(const Result<void>& written);
    void wake();
    int poll_milliseconds();

    Options options_;
    std::vector<Address> addresses_;
    std::optional<OutboxFile> outbox_;
    std::shared_ptr<zmq::context_t> context_;
    Link link_;
    Descriptor wake_fd_;
    std::atomic<bool> woken_{false};
    Resolver resolver_;  ///< behind what it wakes: a lookup ends when it will, and this waits for it
    std::optional<std::size_t> wanted_node_;  ///< asked for, not yet connected to: its name is being resolved
    bool link_failed_ = false;
    Actions spare_;  ///< empty; keeps its room from one step to the next

    std::mutex mutex_;  ///< guards all below
    std::condition_variable changed_;
    std::size_t waiters_ = 0;
    Session session_;
    std::deque<Waiting> callbacks_;  ///< in the order of ordinals
    std::size_t undelivered_ = 0;    ///< settlements on their way to callbacks
    bool leave_requested_ = false;
    bool stopping_ = false;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace anel::client

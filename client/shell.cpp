#include "client/shell.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace anel::client {
namespace {

Instant now() {
    return Instant{std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

constexpr std::size_t replies_at_once = 256;

std::vector<Address> addresses_of(const std::vector<std::string>& nodes) {
    std::vector<Address> addresses;
    for (const auto& node : nodes) addresses.push_back(*parse_address(node));  // checked before: check(Options)
    return addresses;
}

/// All clients of a process share the threads of one context, so that thousands of them are thousands of threads and not
/// four times as many. What a fork copied of it has no threads.
std::shared_ptr<zmq::context_t> shared_context() {
    static std::mutex mutex;
    static std::weak_ptr<zmq::context_t> shared;
    static pid_t made_by = 0;
    const std::lock_guard lock{mutex};
    auto context = made_by == ::getpid() ? shared.lock() : nullptr;
    if (!context) {
        context = std::make_shared<zmq::context_t>(1);
        context->set(zmq::ctxopt::max_sockets, context->get(zmq::ctxopt::socket_limit));
        shared = context;
        made_by = ::getpid();
    }
    return context;
}

}  // namespace

Client::Shell::Shell(Options options, std::optional<OutboxFile> outbox, SessionOptions session_options)
    : client_id{session_options.client_id},
      options_{std::move(options)},
      addresses_{addresses_of(options_.nodes)},
      outbox_{std::move(outbox)},
      context_{shared_context()},
      link_{*context_, options_.timing},
      wake_fd_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)},
      resolver_{[this] { wake(); }},
      session_{std::move(session_options), outbox_ ? std::exchange(outbox_->kept(), {}) : KeptOutbox{}} {
    if (!wake_fd_.valid()) throw std::system_error{errno, std::generic_category()};
    restored = session_.last_ordinal().value;
    thread_ = std::thread{[this] { run(); }};
}

Client::Shell::~Shell() { (void)close(std::chrono::milliseconds{0}, Farewell::keep); }

// --- for the threads of the user -----------------------------------------------------------------

tl::expected<Ordinal, Refused> Client::Shell::push(std::string_view payload, Timestamp timestamp, Callback callback) {
    std::unique_lock lock{mutex_};
    auto taken = session_.push(timestamp, payload);
    // A callback that waited for room would wait for itself.
    const bool may_wait = options_.when_full == WhenFull::block && std::this_thread::get_id() != thread_.get_id();
    while (!taken && taken.error().code == "would_block" && may_wait) {
        ++waiters_;
        changed_.wait(lock, [&] { return session_.has_room() || ended_; });
        --waiters_;
        taken = session_.push(timestamp, payload);
    }
    if (!taken) return taken;
    if (callback) callbacks_.push_back({*taken, std::move(callback)});
    const bool wanted = session_.wants_step();
    lock.unlock();
    if (wanted) wake();
    return taken;
}

bool Client::Shell::wait_for_room(std::chrono::milliseconds deadline) {
    std::unique_lock lock{mutex_};
    ++waiters_;
    const bool room = changed_.wait_for(lock, deadline, [&] { return session_.has_room() || ended_; });
    --waiters_;
    return room;
}

bool Client::Shell::flush(std::chrono::milliseconds deadline) {
    std::unique_lock lock{mutex_};
    ++waiters_;
    const bool settled =
        changed_.wait_for(lock, deadline, [&] { return session_.unsettled_messages() == 0 && undelivered_ == 0; });
    --waiters_;
    return settled;
}

bool Client::Shell::close(std::chrono::milliseconds deadline, Farewell farewell) {
    const auto until = std::chrono::steady_clock::now() + deadline;
    bool done = flush(deadline);
    if (farewell == Farewell::bye && done) {
        std::unique_lock lock{mutex_};
        leave_requested_ = true;
        wake();
        ++waiters_;
        done = changed_.wait_until(lock, until, [&] { return ended_; });
        --waiters_;
    }
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake();
    if (thread_.joinable()) thread_.join();
    return done;
}

Instance Client::Shell::instance() {
    const std::lock_guard lock{mutex_};
    return session_.instance();
}

std::size_t Client::Shell::unsettled() {
    const std::lock_guard lock{mutex_};
    return session_.unsettled_messages();
}

std::string Client::Shell::trouble() {
    const std::lock_guard lock{mutex_};
    if (session_.trouble().empty()) return {};
    return fmt::format("{} (now at {})", session_.trouble(), options_.nodes[session_.node()]);
}

void Client::Shell::wake() {
    if (woken_.exchange(true)) return;
    const std::uint64_t one = 1;
    (void)!::write(wake_fd_.get(), &one, sizeof one);
}

// --- the client's own thread ---------------------------------------------------------------------

int Client::Shell::poll_milliseconds() {
    const std::lock_guard lock{mutex_};
    if (stopping_ || session_.wants_step()) return 0;
    const auto due = session_.next_wakeup();
    if (!due) return -1;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*due - now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 60'000));
}

void Client::Shell::run() {
    bool said_leave = false;
    while (true) {
        step(Ticked{});
        bool stop = false;
        bool leave = false;
        {
            const std::lock_guard lock{mutex_};
            stop = stopping_ || ended_;
            leave = leave_requested_;
        }
        if (leave && !std::exchange(said_leave, true)) step(LeaveRequested{});
        if (stop) break;
        std::vector<zmq::pollitem_t> items{{nullptr, wake_fd_.get(), ZMQ_POLLIN, 0}};
        link_.add_to(items);
        (void)zmq_poll(items.data(), static_cast<int>(items.size()), poll_milliseconds());
        if ((items[0].revents & ZMQ_POLLIN) != 0) {
            std::uint64_t count = 0;
            (void)!::read(wake_fd_.get(), &count, sizeof count);
            woken_ = false;
            if (wanted_node_) connect();
        }
        link_.receive(replies_at_once, [this](const Input& input) { step(input); });
    }
    Actions actions;
    {
        const std::lock_guard lock{mutex_};
        const auto trouble = session_.trouble().empty() ? std::string{"no ack came in time"} : session_.trouble();
        session_.abandon("gave up: " + trouble, actions);
        ended_ = true;
    }
    for (const auto& action : actions) perform(action);
    const std::lock_guard lock{mutex_};
    changed_.notify_all();
}

void Client::Shell::step(const Input& input) {
    auto actions = std::exchange(spare_, {});
    {
        const std::lock_guard lock{mutex_};
        session_.step(input, now(), actions);
        for (const auto& action : actions) undelivered_ += std::holds_alternative<Settled>(action) ? 1 : 0;
    }
    for (const auto& action : actions) perform(action);
    actions.clear();
    spare_ = std::move(actions);
    if (std::exchange(link_failed_, false)) step(Disconnected{"the address cannot be used"});
}

void Client::Shell::connect() {
    const auto endpoint = resolver_.endpoint_of(addresses_[*wanted_node_]);
    if (!endpoint) return;
    wanted_node_.reset();
    if (link_.open(*endpoint)) link_failed_ = true;
}

void Client::Shell::perform(const Action& action) {
    std::visit(Overloaded{
                   [&](const OpenLink& open) {
                       wanted_node_ = open.node;
                       connect();
                   },
                   [&](const CloseLink&) {
                       const std::lock_guard lock{mutex_};
                       if (wanted_node_) wanted_node_.reset();
                       link_.close();
                   },
                   [&](const SendFrame& send) { link_.send(send.frame); },
                   [&](const KeepBirth& keep) {
                       if (outbox_) kept(outbox_->keep_birth(keep.birth));
                   },
                   [&](const KeepFrame& keep) {
                       if (outbox_) kept(outbox_->keep(keep.frame));
                   },
                   [&](const ForgetKept& forget) {
                       if (!outbox_) return;
                       kept(outbox_->forget(forget.acked));
                       if (!outbox_ || !outbox_->is_bloated()) return;
                       // Only a matter of size, unless what is kept from now on could go with a power cut.
                       if (const auto written = outbox_->replace(outbox_now());
                           !written && written.error().code == ErrorCode::sync_failed) {
                           kept(written);
                       }
                   },
                   [&](const ReplaceKept&) {
                       if (outbox_) kept(outbox_->replace(outbox_now()));
                   },
                   [&](const Renewed& renewed) {
                       if (outbox_) kept(outbox_->renew(renewed.instance));
                   },
                   [&](const Settled& run) { settled(run); },
                   [&](const Ended& end) {
                       if (outbox_ && end.why.empty()) outbox_->remove();
                       const std::lock_guard lock{mutex_};
                       ended_ = true;
                       changed_.notify_all();
                   },
               },
               action);
}

KeptOutbox Client::Shell::outbox_now() {
    const std::lock_guard lock{mutex_};
    return session_.outbox();
}

/// An outbox that cannot be written cannot keep its promise: the client ends rather than pretend.
void Client::Shell::kept(const Result<void>& written) {
    if (written) return;
    Actions actions;
    {
        const std::lock_guard lock{mutex_};
        session_.abandon(written.error().text, actions);
        for (const auto& action : actions) undelivered_ += std::holds_alternative<Settled>(action) ? 1 : 0;
    }
    outbox_.reset();
    for (const auto& action : actions) perform(action);
}

void Client::Shell::settled(const Settled& run) {
    std::vector<Callback> due;
    {
        const std::lock_guard lock{mutex_};
        const auto first = std::lower_bound(callbacks_.begin(), callbacks_.end(), run.first,
                                            [](const Waiting& one, Ordinal ordinal) { return one.ordinal < ordinal; });
        for (auto one = first; one != callbacks_.end() && one->ordinal <= run.last; ++one) {
            due.push_back(std::exchange(one->callback, {}));
        }
        while (!callbacks_.empty() && !callbacks_.front().callback) callbacks_.pop_front();
    }
    if (options_.on_settled) options_.on_settled(run);
    for (const auto& callback : due) {
        if (callback) callback(run.outcome);
    }
    const std::lock_guard lock{mutex_};
    if (undelivered_ > 0) --undelivered_;
    if (waiters_ > 0) changed_.notify_all();
}

}  // namespace anel::client

// The client library: push messages to a ring, learn what became of each.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "client/options.hpp"
#include "client/outcome.hpp"
#include "common/ids.hpp"
#include "common/result.hpp"

namespace anel::client {

/// Told the outcome of one message.
using Callback = std::function<void(const Outcome&)>;

/// What is left of the session when the client closes.
enum class Farewell {
    keep,  ///< the session stays in the ledger: the same client id may come back
    bye,   ///< nothing more will come from this client id and instance: its session may go
};

/// A client of the ring, with a thread of its own. All functions may be called from any thread.
///
///     anel::client::Client client{{.nodes = {"127.0.0.1:5000", "127.0.0.1:5001"}, .client_id = "tea"}};
///     auto outcome = client.push("hello", 1).get();
///     if (std::holds_alternative<anel::client::Durable>(outcome)) ...
///
/// It connects to one node at a time, says hello, pushes in batches, resends what is not acked, and goes
/// to the next node when one is silent, gone, or says that it cannot. It keeps trying for ever: give up
/// with the deadline of flush() or close(). Messages come to stand in the ledger in the order of pushes.
class Client {
public:
    /// Starts at once. Options that cannot be, an outbox file that cannot be used, and too few descriptors or threads
    /// are an error.
    [[nodiscard]] static Result<std::unique_ptr<Client>> start(Options options);
    /// The same for those who like it short.
    /// @throws std::invalid_argument where start() returns an error
    explicit Client(Options options);
    /// Closes without waiting: what is not acked is Unknown, what was never sent is Refused `closed`.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// @param timestamp  orders messages within a round; microseconds since 1970 unless you mean something else
    /// @return ready once the outcome is settled. With many messages a callback or post() costs less.
    [[nodiscard]] std::future<Outcome> push(std::string_view payload, Timestamp timestamp);
    /// `callback` is called once, on the client's thread, with no lock held; it may push (never blocking).
    /// @return the message's ordinal, or the refusal (the callback is then not called).
    [[nodiscard]] tl::expected<Ordinal, Refused> push(std::string_view payload, Timestamp timestamp, Callback callback);
    /// The cheapest: outcomes come in runs to Options::on_settled alone.
    [[nodiscard]] tl::expected<Ordinal, Refused> post(std::string_view payload, Timestamp timestamp);

    /// Waits until push would not meet a full window. @return false when the time was over first.
    [[nodiscard]] bool wait_for_room(std::chrono::milliseconds deadline);
    /// Waits until all that was pushed is settled. @return false when the time was over first.
    [[nodiscard]] bool flush(std::chrono::milliseconds deadline);
    /// Flushes, says `bye` if told so, and ends the thread. What is left is settled as in the destructor.
    /// @return true when all was settled by nodes (and the bye is durable).
    bool close(std::chrono::milliseconds deadline, Farewell farewell = Farewell::keep);

    /// The one of the options or of the outbox file, or the random one that was made.
    [[nodiscard]] const std::string& client_id() const;
    /// The same of the instance.
    [[nodiscard]] Instance instance() const;
    /// Messages of an earlier process, read from the outbox file; they have the ordinals 1..restored().
    [[nodiscard]] std::uint64_t restored() const;
    /// Messages that were pushed or restored and have no outcome yet.
    [[nodiscard]] std::size_t unsettled() const;
    /// Why there is no progress now, with the node's name; empty when there is.
    [[nodiscard]] std::string trouble() const;

private:
    class Shell;
    explicit Client(std::unique_ptr<Shell> shell);
    [[nodiscard]] static Result<std::unique_ptr<Shell>> start_shell(Options options);
    std::unique_ptr<Shell> shell_;
};

}  // namespace anel::client

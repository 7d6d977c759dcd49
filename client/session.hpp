// What a client says to nodes and when: outbox, window, resend, fail-over. Pure: no socket, file, clock,
// thread or randomness; the shell (client.cpp, or a simulator) does what the actions say.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/batch.hpp"
#include "client/outcome.hpp"
#include "client/timing.hpp"
#include "common/client_protocol.hpp"
#include "common/instant.hpp"

namespace anel::client {

struct SessionOptions {
    std::string client_id;
    Instance instance;        ///< not 0
    Instance fresh_instance;  ///< to begin anew with when the session was retired with nothing unacked; 0: it ends
    std::size_t nodes = 1;    ///< how many there are; actions name them 0..nodes-1
    std::size_t first_node = 0;
    std::uint32_t batch_messages = 256;
    std::size_t batch_bytes = 256 * 1024;                              ///< a larger message goes alone
    std::size_t message_bytes = limits::ClientLimits{}.message_bytes;  ///< a node may allow less
    std::size_t window_messages = 64 * 1024;                           ///< not yet settled, sent or not
    std::size_t window_bytes = limits::ClientLimits{}.window_bytes;
    Timing timing;
};

/// Messages kept by an earlier process of the same instance.
struct KeptBatch {
    ClientSequence first;
    std::vector<std::pair<Timestamp, std::string>> messages;
};
struct KeptOutbox {
    ClientSequence sent;  ///< highest client sequence that may ever have been pushed
    ClientSequence acked;
    std::vector<KeptBatch> batches;  ///< in order, without gaps, all above `acked`
    Round birth{};                   ///< of the session they were pushed under; 0: not known
};

// --- inputs --------------------------------------------------------------------------------------
struct Connected {};   ///< the link of the last OpenLink stands
struct Disconnected {  ///< it dropped, was refused, or could not be made
    std::string why;
};
struct Replied {
    ClientReply reply;
};
struct Ticked {};          ///< time has passed, or something was pushed
struct LeaveRequested {};  ///< say `bye` when all is settled
using Input = std::variant<Connected, Disconnected, Replied, Ticked, LeaveRequested>;

// --- actions, to be performed in order -----------------------------------------------------------
struct OpenLink {  ///< a fresh socket to this node; the one before is closed already
    std::size_t node = 0;
};
struct CloseLink {
    std::string why;  ///< for logs
};
struct SendFrame {
    Blob frame;
};
/// The session that what follows is pushed under: a hello of a restart goes on with it or is refused.
struct KeepBirth {
    Round birth;
};
/// Comes before the SendFrame of a batch that was never sent: keep it, so that a restart can resend it.
struct KeepFrame {
    Blob frame;
};
/// Everything up to here is acked: forget it.
struct ForgetKept {
    ClientSequence acked;
};
/// Numbers have changed: what was kept is replaced by Session::outbox().
struct ReplaceKept {};
/// The session goes on under another instance: what was kept is replaced by an empty outbox of that one.
struct Renewed {
    Instance instance;
};
/// `bye` is durable, or the session can go on no more; nothing follows.
struct Ended {
    std::string why;
};
using Action = std::variant<OpenLink, CloseLink, SendFrame, KeepBirth, KeepFrame, ForgetKept, ReplaceKept, Renewed,
                            Settled, Ended>;
using Actions = std::vector<Action>;

/// Where the session stands with its node.
enum class LinkState {
    waiting,     ///< no link; the next one is opened when the pause is over
    connecting,  ///< a link was asked for
    greeting,    ///< `hello` is out, `welcome` is awaited
    pushing,     ///< batches go out
    paused,      ///< `busy`: silent until the node's time is over
    leaving,     ///< `bye` is out
    ended,       ///< nothing goes out any more
};

/// One outbox of one client id.
///
/// 1. Batches in `outbox_` stand in the order of their pushes; those with a client sequence (first not 0)
///    come before those without, and theirs have no gaps.
/// 2. A client sequence once sent names the same message for ever, unless the only node that ever saw it
///    refused it.
/// 3. Each message is settled exactly once.
class Session {
public:
    explicit Session(SessionOptions options, const KeptOutbox& kept = {});

    /// Takes a message into the outbox. Step with Ticked when `wants_step()` is true afterwards.
    /// @return its ordinal, or `too_large`, `would_block` (the window is full) or why the session ended.
    [[nodiscard]] tl::expected<Ordinal, Refused> push(Timestamp timestamp, std::string_view payload);

    /// Takes one input at `now`; appends what the shell must do, in this order.
    void step(const Input& input, Instant now, Actions& actions);

    /// A push has made something ready to go out.
    [[nodiscard]] bool wants_step() const;
    /// When a Ticked is due at the latest; nothing: only an event can change anything.
    [[nodiscard]] std::optional<Instant> next_wakeup() const;

    /// Settles all that is left: sent messages are unknown, others refused with `closed`. Nothing follows.
    void abandon(const std::string& why, Actions& actions);

    [[nodiscard]] LinkState state() const { return state_; }
    [[nodiscard]] Instance instance() const { return options_.instance; }
    [[nodiscard]] std::size_t node() const { return node_; }
    [[nodiscard]] std::size_t unsettled_messages() const { return unsettled_messages_; }
    [[nodiscard]] std::size_t unsettled_bytes() const { return unsettled_bytes_; }
    [[nodiscard]] bool has_room() const;
    /// The last ordinal given out; those of a kept outbox come first.
    [[nodiscard]] Ordinal last_ordinal() const { return last_ordinal_; }
    /// Why there is no progress, for people; empty when there is.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    /// What a restart needs: everything that was ever sent and is not acked.
    [[nodiscard]] KeptOutbox outbox() const;

private:
    struct Entry {
        Ordinal ordinal;       ///< of the first message
        ClientSequence first;  ///< 0: never sent
        Batch batch;
        bool sent_before = false;  ///< on an earlier link: another node may have it
        [[nodiscard]] ClientSequence last() const { return {first.value + batch.count() - 1}; }
    };

    // session.cpp: the outbox
    void seal_open();
    [[nodiscard]] tl::expected<Ordinal, Refused> refuse_push(std::string code, std::string text) const;
    void settle(const Entry& entry, Outcome outcome, Actions& actions);
    void take_ack(ClientSequence last, Sequence sequence, Round round, Actions& actions);
    void cut_before(ClientSequence sequence);
    [[nodiscard]] std::optional<std::size_t> find(ClientSequence sequence) const;
    void resend_from(ClientSequence sequence);
    void refuse_entry(std::size_t index, const Reject& reject, Actions& actions);
    void renew(Instant now, Actions& actions);
    void settle_all(const Unknown& sent, const Refused& unsent, Actions& actions);
    void end(const std::string& why, const Refused& unsent, Actions& actions);
    void recount_in_flight();
    [[nodiscard]] bool window_open(const Entry& entry) const;

    // session_link.cpp: the link
    void on(const Connected&, Instant now, Actions& actions);
    void on(const Disconnected& input, Instant now, Actions& actions);
    void on(const Replied& input, Instant now, Actions& actions);
    void on(const Ticked&, Instant now, Actions& actions);
    void on(const LeaveRequested&, Instant now, Actions& actions);

    // session_replies.cpp: the answers
    void on_reply(const Welcome& welcome, Instant now, Actions& actions);
    void on_reply(const Ack& ack, Instant now, Actions& actions);
    void on_reply(const Busy& busy, Instant now, Actions& actions);
    void on_reply(const Reject& reject, Instant now, Actions& actions);
    void on_reply(const Byed& byed, Instant now, Actions& actions);
    [[nodiscard]] bool goes_on_in(const Welcome& welcome) const;
    template <class Other>
    void on_reply(const Other&, Instant, Actions&) {}  // a status, say: not asked for here
    [[nodiscard]] bool may_renew() const;
    void on_refused_batch(const Reject& reject, Instant now, Actions& actions);
    void give_up_here(const Reject& reject, Instant now, Actions& actions);
    [[nodiscard]] bool refuse_next(const Reject& reject, Instant now, Actions& actions);
    void open_link(Instant now, Actions& actions);
    void fail_over(const std::string& why, Instant now, Actions& actions);
    void greet(Instant now, Actions& actions);
    /// The birth that a hello has to name, because something was pushed under it; 0: none.
    [[nodiscard]] Round birth_to_name() const { return sent_.value == 0 ? Round{} : birth_; }
    void send_what_may(Instant now, Actions& actions);
    void send_entry(Entry& entry, Actions& actions);
    void leave_if_asked(Instant now, Actions& actions);
    void expect_answer(Instant now);

    SessionOptions options_;
    LinkState state_ = LinkState::waiting;
    std::size_t node_ = 0;
    std::size_t failures_in_row_ = 0;  ///< links without an ack or a welcome that led on
    std::size_t hellos_in_row_ = 0;    ///< hellos on this link without an ack between
    bool started_ = false;
    bool leave_requested_ = false;
    bool bye_sent_ = false;
    limits::ClientLimits node_limits_;
    Instant pause_until_{};
    Instant answer_deadline_{};
    Instant progress_deadline_{};
    std::string trouble_;
    Refused ended_because_;

    std::deque<Entry> outbox_;
    std::size_t next_ = 0;     ///< index of the next entry to send on this link
    std::size_t skipped_ = 0;  ///< entries before were written earlier and only wait for an ack
    Batch open_;               ///< grows; its messages come behind all of outbox_
    Ordinal open_ordinal_{1};
    Ordinal last_ordinal_{0};
    ClientSequence sent_{0};  ///< highest ever pushed
    Round birth_{0};          ///< of the session they were pushed under; 0: no welcome told it
    ClientSequence acked_{0};
    ClientSequence assigned_{0};       ///< the last client sequence given to a message
    std::size_t in_flight_bytes_ = 0;  ///< frames of the entries from skipped_ to next_
    std::size_t unsettled_messages_ = 0;
    std::size_t unsettled_bytes_ = 0;
};

}  // namespace anel::client

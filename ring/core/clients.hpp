// The clients of this node: what was taken from them, what of it is in the open round, and what they are owed.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "ring/core/anonymous.hpp"
#include "ring/core/context.hpp"
#include "ring/core/messages.hpp"

namespace anel {

/// Takes requests, makes bids of them, and answers when their round is durable. Every decision about a message looks at
/// the session table alone: after a round was applied, a batch is either covered by its session or it was not taken.
class Clients {
public:
    explicit Clients(Context& context) : context_{context}, anonymous_{context} {}

    /// One frame of a client. The answer comes now (busy, reject) or when it is earned (welcome, ack).
    void arrived(const Connection& connection, const Blob& frame);

    /// Something waits that is not in a bid.
    [[nodiscard]] bool has_work() const { return in_bid_ < queue_.size(); }
    /// Something is in a bid whose round was not settled.
    [[nodiscard]] bool has_bid() const { return in_bid_ > 0; }

    /// Puts waiting frames into a bid: one at least, further ones up to `bid_bytes`.
    /// @param room  bytes left on the token; an empty token takes a frame of any size.
    /// @return none where nothing waits or nothing fits: the vote is "none".
    [[nodiscard]] std::optional<Bid> make_bid(std::size_t room, bool token_is_empty);

    /// Copies the pushes that wait at the front into a wake, as far as they are small. They stay waiting.
    void add_copies(Wake& wake) const;

    /// The round that holds the bid is closed and applied. @param disk_full  nothing of it was taken.
    void settled(bool disk_full);
    /// The epoch is over: no bid counts any more. Whether it was decided, the ledger tells.
    void epoch_left() { in_bid_ = 0; }
    /// Everything decided before the next epoch is applied: what is written is dropped, the rest is bid again.
    void bid_again();

    void applied(const RoundResult& result);
    /// A snapshot stands where rounds were not read one by one: any session may have changed.
    void table_replaced();
    /// `context.durable` was raised: sends what was waiting for it.
    void durable_raised();

    /// A hello waits for a table that is known to be whole, or acks wait so long that the notice must be lost.
    [[nodiscard]] bool wants_words() const;
    /// @param fresh  the table has every round decided in a segment that is not sealed.
    void words_read(bool fresh);
    /// Answers have waited for a whole token time-out and nothing became durable: the writer may have frozen before its
    /// sync, and where all windows are full nobody has work, so nobody misses the token. Any member may sync.
    [[nodiscard]] bool wants_sync() const;
    /// Answers have waited so long that this node looks for itself, and nothing became durable.
    [[nodiscard]] bool misses_sync() const { return stalled_for(context_.config.timing.durable_recheck); }

    /// No majority, or this node leaves: what waits is refused, what comes is too, until `accept_all`.
    void refuse_all(RejectCode code, std::string why);
    void refuse_new(RejectCode code, std::string why);
    void accept_all() { refusal_.reset(); }
    [[nodiscard]] bool refusing() const { return refusal_.has_value(); }
    [[nodiscard]] std::optional<RejectCode> refusing_with() const {
        return refusal_ ? std::optional{refusal_->code} : std::nullopt;
    }

    /// Nothing waits, nothing is owed.
    [[nodiscard]] bool idle() const { return queue_.empty() && due_.empty() && greeting_.empty(); }
    [[nodiscard]] std::size_t pending_messages() const { return pending_messages_; }
    [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_; }
    [[nodiscard]] std::size_t known() const { return clients_.size(); }
    [[nodiscard]] std::optional<Instant> next_wakeup() const;

    void check_invariants() const;

private:
    enum class Greeting {
        none,      ///< must say hello (again)
        asking,    ///< in `greeting_`: its session is looked up when the table is known to be fresh
        proposed,  ///< its hello is in the queue or in a bid
        decided,   ///< in `greeting_`: the hello's round is closed; the next look says welcome or why not
        welcomed,  ///< may push
    };
    /// One instance of a client id at this node.
    struct Client {
        std::string client_id;
        Instance instance;
        Connection connection;  ///< that said the last hello
        Greeting greeting = Greeting::none;
        ClientSequence sent;      ///< as its hello said
        Round continues;          ///< the birth that its hello goes on with; 0: it may begin anew
        Round birth;              ///< under which its batches are accepted
        ClientSequence accepted;  ///< the last one taken or written
        bool dropping = false;    ///< after busy or reject: batches are dropped until the expected one comes
        bool bye_waits = false;   ///< its bye is in the queue or in a bid
        Round ack_queued;         ///< the last round for which an ack is or was in `due_`
        std::size_t pending_bytes = 0;
        std::size_t references = 0;  ///< of queue_, due_ and greeting_
        std::list<Client>::iterator self;
    };
    enum class Kind { hello, push, bye };
    struct Pending {
        Client* client = nullptr;
        Kind kind = Kind::push;
        Round birth;  ///< of the session it was accepted under; for a hello, which it was judged by (0: none)
        ClientSequence first;
        ClientSequence last;
        Blob frame;
        [[nodiscard]] std::size_t messages() const { return kind == Kind::push ? last.value - first.value + 1 : 0; }
        [[nodiscard]] std::size_t cost() const { return frame.size() + sizeof(Pending); }
    };
    struct Due {
        Client* client = nullptr;
        ClientReply reply;
    };
    using Key = std::pair<std::string_view, Instance>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            return std::hash<std::string_view>{}(key.first) ^ (key.second.value * 0x9e3779b97f4a7c15ULL);
        }
    };

    void take(const Connection& connection, const Blob& frame);
    void take_hello(const Connection& connection, const HelloRequest& hello);
    void take_push(const Connection& connection, const Blob& frame, const PushRequest& push);
    void take_bye(const Connection& connection, const Blob& frame, const ByeRequest& bye);
    /// @return the reason why a push is not taken now, if any; says it to the client.
    bool refused(Client& client, const PushRequest& push);
    void judge(Client& client);
    bool welcome(Client& client, const Session& session);
    void refuse_to_continue(Client& client, const Session* session);
    void propose_hello(Client& client);
    template <class Changed>
    void drop_hellos(Changed changed);
    void drop_overtaken_hellos(const RoundResult& result);
    [[nodiscard]] bool overtaken(Client& client);

    [[nodiscard]] Client* find(std::string_view client_id, Instance instance);
    [[nodiscard]] Client* find_or_make(const HelloRequest& hello);
    void drop_written();
    void enqueue(Pending pending);
    void dequeued(const Pending& pending);
    /// Says what became of an entry whose fate is known from the session table.
    /// @return false where it is not written and has to be bid (again).
    bool resolve(const Pending& pending);
    /// @param told  clients that heard of a refusal already: one for all that follows it.
    void not_taken(const Pending& pending, bool disk_full, std::set<const Client*>& told);
    template <class Drop>
    void drop_waiting(Drop drop);
    void purge(const Client& client);
    [[nodiscard]] bool pushes_in_bid(const Client& client) const;
    /// What was taken and not written is forgotten; the client begins again behind what is written.
    void start_over(Client& client);
    void ask(Client& client, Greeting greeting);
    void owe(Client& client, Round round, ClientReply reply);
    void owe_ack(Client& client, const Session& session);
    void await_durable();
    [[nodiscard]] bool stalled_for(Duration time) const {
        return stalled_since_ && context_.durable < context_.tip.round && context_.now.steady >= *stalled_since_ + time;
    }
    void reject(Client& client, ClientSequence sequence, RejectCode code, std::string text);
    void reply(const Connection& connection, ClientReply reply);
    void serve_own_client();

    Context& context_;
    Anonymous anonymous_;
    std::deque<ClientReply> own_replies_;

    std::list<Client> clients_;                                             ///< the one heard of last at the end
    std::unordered_map<Key, std::list<Client>::iterator, KeyHash> by_key_;  ///< keys point into clients_
    std::deque<Pending> queue_;
    std::size_t in_bid_ = 0;  ///< so many at the front of queue_ are in the open round
    std::size_t hellos_ = 0;  ///< in queue_
    std::vector<Pending> settling_;
    std::map<Round, std::vector<Due>> due_;
    std::vector<Client*> greeting_;
    bool words_due_ = false;
    std::optional<Instant> recheck_at_;
    std::optional<Instant> stalled_since_;  ///< answers wait for a round to become durable, and none did
    std::size_t pending_bytes_ = 0;
    std::size_t pending_messages_ = 0;
    struct Refusal {
        RejectCode code;
        std::string why;
    };
    std::optional<Refusal> refusal_;
};

/// Takes out of the queue what is not in a bid and is to be dropped.
template <class Drop>
void Clients::drop_waiting(Drop drop) {
    std::deque<Pending> kept;
    for (std::size_t index = 0; index < queue_.size(); ++index) {
        auto& pending = queue_[index];
        if (index >= in_bid_ && drop(pending)) dequeued(pending);
        else kept.push_back(std::move(pending));
    }
    queue_ = std::move(kept);
}

}  // namespace anel

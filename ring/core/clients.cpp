// The back of Clients: bids, what became of them, and who is owed an answer.
#include "ring/core/clients.hpp"

#include <fmt/format.h>

#include "common/assert.hpp"

namespace anel {
namespace {

/// Frames below this are packed together; larger ones travel by reference.
constexpr std::size_t packed_below = 8 * 1024;

/// Collects frames into as few chunks as is cheap.
class ChunkPacker {
public:
    explicit ChunkPacker(Bid& bid) : bid_{bid} {}
    void add(const Blob& frame, Round birth) {
        bid_.entries.push_back({birth, static_cast<std::uint32_t>(frame.size())});
        if (frame.size() >= packed_below) {
            flush();
            bid_.chunks.push_back(frame);
        } else {
            packed_.insert(packed_.end(), frame.bytes().begin(), frame.bytes().end());
        }
    }
    void flush() {
        if (!packed_.empty()) bid_.chunks.push_back(Blob::of(std::exchange(packed_, {})));
    }

private:
    Bid& bid_;
    Bytes packed_;
};

}  // namespace

std::optional<Bid> Clients::make_bid(std::size_t room, bool token_is_empty) {
    ANEL_ASSERT(in_bid_ == 0);
    Bid bid{context_.config.self, {}, {}};
    ChunkPacker packer{bid};
    std::size_t bytes = 0;
    std::size_t messages = 0;
    while (in_bid_ < queue_.size()) {
        const auto& pending = queue_[in_bid_];
        const std::size_t after = bytes + pending.frame.size();
        if (in_bid_ > 0 && after > context_.config.bid_bytes) break;
        messages += pending.messages();
        if (in_bid_ > 0 && messages > limits::bid_messages_max) break;
        if (after > room && !(token_is_empty && in_bid_ == 0)) break;
        // A bye in the round of a push would hide from this node whether the push was taken.
        if (pending.kind == Kind::bye && pushes_in_bid(*pending.client)) break;
        packer.add(pending.frame, pending.birth);
        bytes = after;
        ++in_bid_;
    }
    packer.flush();
    if (in_bid_ == 0) return std::nullopt;
    return bid;
}

/// Of pushes alone: a copy that comes late finds its session gone, given to another instance, or past it. A hello that
/// comes late could bring a session back that its client has ended. And not of this node's own client, which gives the
/// number of a text that a full disk refused to the next text: the copy would be written in its place.
void Clients::add_copies(Wake& wake) const {
    if (in_bid_ > 0) return;
    Bytes frames;
    for (const auto& pending : queue_) {
        if (pending.client->connection == own_connection()) continue;
        if (pending.kind != Kind::push || frames.size() + pending.frame.size() > limits::wake_bid_bytes_max) break;
        wake.entries.push_back({pending.birth, static_cast<std::uint32_t>(pending.frame.size())});
        frames.insert(frames.end(), pending.frame.bytes().begin(), pending.frame.bytes().end());
    }
    wake.frames = Blob::of(std::move(frames));
}

bool Clients::pushes_in_bid(const Client& client) const {
    return std::any_of(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(in_bid_),
                       [&](const Pending& pending) { return pending.client == &client; });
}

void Clients::settled(bool disk_full) {
    // Out of the queue first: a refusal removes what waits behind from it.
    const auto border = queue_.begin() + static_cast<std::ptrdiff_t>(std::exchange(in_bid_, 0));
    settling_.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(border));
    queue_.erase(queue_.begin(), border);
    std::set<const Client*> told;
    for (const auto& pending : settling_) {
        dequeued(pending);
        if (!resolve(pending)) not_taken(pending, disk_full, told);
    }
    settling_.clear();
    serve_own_client();
}

void Clients::bid_again() {
    ANEL_ASSERT(in_bid_ == 0);
    auto waiting = std::move(queue_);
    queue_.clear();
    for (auto& pending : waiting) {
        dequeued(pending);
        if (!resolve(pending)) enqueue(std::move(pending));
    }
    words_due_ = true;
    recheck_at_ = context_.now.steady;
    serve_own_client();
}

bool Clients::resolve(const Pending& pending) {
    auto& client = *pending.client;
    const auto* session = context_.sessions.find(client.client_id);
    switch (pending.kind) {
        case Kind::hello:
            if (!session || session->instance != client.instance) return false;
            if (client.greeting == Greeting::proposed) ask(client, Greeting::decided);
            return true;
        case Kind::push:
            if (!session || session->birth != pending.birth || session->last < pending.last ||
                pending.first <= session->inherited) {
                return false;
            }
            owe_ack(client, *session);
            return true;
        case Kind::bye:
            if (session && session->birth == pending.birth) return false;
            client.greeting = Greeting::none;
            client.birth = {};
            owe(client, context_.tip.round, Byed{client.client_id});
            return true;
    }
    return false;
}

/// The round of this entry is closed and it is not covered: says why.
void Clients::not_taken(const Pending& pending, bool disk_full, std::set<const Client*>& told) {
    auto& client = *pending.client;
    const auto* session = context_.sessions.find(client.client_id);
    if (pending.kind == Kind::hello && !disk_full) {
        if (client.greeting != Greeting::proposed) return;
        if (pending.birth == (session ? session->birth : Round{})) {
            ask(client, Greeting::decided);
        } else {  // the session is not what the hello was judged by: it may be an old one
            client.greeting = Greeting::none;
            reject(client, {}, session ? RejectCode::conflict : RejectCode::hello_first,
                   "the session of this client id changed meanwhile");
        }
        return;
    }
    if (pending.kind == Kind::hello) {
        client.greeting = Greeting::none;
        reject(client, {}, RejectCode::disk_full, "no space is left for the ledger; nothing was written");
        return;
    }
    if (pending.birth != client.birth) return;  // of an earlier life of this instance; its later one goes on
    if (!told.insert(&client).second) return;
    start_over(client);
    if (disk_full) {
        reject(client, pending.first, RejectCode::disk_full, "no space is left for the ledger; nothing was written");
    } else if (!session) {
        reject(client, pending.first, RejectCode::session_retired,
               "the ledger has no session of this client id any more");
    } else if (session->birth != pending.birth) {
        reject(client, pending.first, RejectCode::conflict,
               fmt::format("another instance has this client id; its next client sequence is {}",
                           session->last.value + 1));
    } else {
        reject(client, pending.first, RejectCode::gap,
               fmt::format("expected client sequence {}", session->last.value + 1));
    }
}

/// Drops what waits of a client and is not in a bid.
void Clients::purge(const Client& client) {
    drop_waiting([&](const Pending& pending) { return pending.client == &client; });
}

void Clients::start_over(Client& client) {
    const auto* session = context_.sessions.find(client.client_id);
    if (session && session->birth == client.birth) client.accepted = session->last;
    purge(client);
}

void Clients::applied(const RoundResult& result) {
    anonymous_.applied(result);
    for (const auto& change : result.changes) {
        if (!change.session) continue;
        if (auto* client = find(change.client_id, change.session->instance)) owe_ack(*client, *change.session);
    }
    drop_overtaken_hellos(result);
    if (!greeting_.empty()) words_due_ = true;
    drop_written();
    serve_own_client();
}

/// What a round took from a wake, or from another node, need not be bid.
void Clients::drop_written() {
    if (in_bid_ > 0) return;
    while (!queue_.empty() && queue_.front().kind == Kind::push && resolve(queue_.front())) {
        const auto pending = std::move(queue_.front());
        queue_.pop_front();
        dequeued(pending);
    }
}

void Clients::durable_raised() {
    while (!due_.empty() && due_.begin()->first <= context_.durable) {
        const auto ready = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        for (const auto& due : ready) {
            --due.client->references;
            reply(due.client->connection, due.reply);
        }
    }
    if (!greeting_.empty()) words_due_ = true;
    if (due_.empty() && greeting_.empty()) recheck_at_.reset();
    stalled_since_.reset();
    if (!due_.empty()) await_durable();
    serve_own_client();
}

void Clients::await_durable() {
    if (!stalled_since_) stalled_since_ = context_.now.steady;
}

bool Clients::wants_sync() const { return stalled_for(context_.config.timing.token_timeout); }

void Clients::refuse_all(RejectCode code, std::string why) {
    refuse_new(code, why);
    for (auto* client : std::exchange(greeting_, {})) {
        --client->references;
        client->greeting = Greeting::none;
        reply(client->connection, Reject{client->client_id, {}, code, why});
    }
    in_bid_ = 0;
    auto waiting = std::move(queue_);
    queue_.clear();
    std::set<const Client*> told;
    for (const auto& pending : waiting) {
        auto& client = *pending.client;
        dequeued(pending);
        if (pending.kind == Kind::hello) client.greeting = Greeting::none;
        if (!told.insert(&client).second) continue;
        start_over(client);
        // A bid that is given up here may be decided yet. The node's own client must not use its numbers again: it says
        // hello anew, whatever the code.
        reject(client, client.connection == own_connection() ? ClientSequence{} : pending.first, code, why);
    }
    serve_own_client();
}

void Clients::refuse_new(RejectCode code, std::string why) { refusal_ = Refusal{code, std::move(why)}; }

std::optional<Instant> Clients::next_wakeup() const { return recheck_at_; }

void Clients::enqueue(Pending pending) {
    auto& client = *pending.client;
    client.pending_bytes += pending.cost();
    if (pending.kind == Kind::bye) client.bye_waits = true;
    if (pending.kind == Kind::hello) ++hellos_;
    ++client.references;
    pending_bytes_ += pending.cost();
    pending_messages_ += pending.messages();
    queue_.push_back(std::move(pending));
}

void Clients::dequeued(const Pending& pending) {
    pending.client->pending_bytes -= pending.cost();
    --pending.client->references;
    pending_bytes_ -= pending.cost();
    pending_messages_ -= pending.messages();
    if (pending.kind == Kind::bye) pending.client->bye_waits = false;
    if (pending.kind == Kind::hello) --hellos_;
}

void Clients::owe(Client& client, Round round, ClientReply answer) {
    if (round <= context_.durable) {
        reply(client.connection, answer);
        return;
    }
    ++client.references;
    due_[round].push_back({&client, std::move(answer)});
    await_durable();
    if (!recheck_at_) recheck_at_ = context_.now.steady + context_.config.timing.durable_recheck;
}

void Clients::owe_ack(Client& client, const Session& session) {
    // What instances before this one wrote is not this one's to be acked.
    if (session.last <= session.inherited || client.ack_queued >= session.round) return;
    client.ack_queued = session.round;
    owe(client, session.round, Ack{client.client_id, session.last, session.sequence, session.round});
}

void Clients::reject(Client& client, ClientSequence sequence, RejectCode code, std::string text) {
    client.dropping = true;
    if (code == RejectCode::conflict || code == RejectCode::session_retired) client.greeting = Greeting::none;
    reply(client.connection, Reject{client.client_id, sequence, code, std::move(text)});
}

void Clients::reply(const Connection& connection, ClientReply answer) {
    if (connection == own_connection()) own_replies_.push_back(std::move(answer));
    else context_.act(ReplyClient{connection, std::move(answer)});
}

void Clients::serve_own_client() {
    while (!own_replies_.empty()) {
        const auto answer = std::move(own_replies_.front());
        own_replies_.pop_front();
        for (const auto& frame : anonymous_.replied(answer)) take(own_connection(), frame);
    }
}

void Clients::check_invariants() const {
    // What is in a bid is at the front of the queue.
    ANEL_ASSERT(in_bid_ <= queue_.size());
    // Nobody is owed what is durable already.
    ANEL_ASSERT(due_.empty() || due_.begin()->first > context_.durable);
    // Every client is found by its key.
    ANEL_ASSERT(clients_.size() == by_key_.size());
}

}  // namespace anel

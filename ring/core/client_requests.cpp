// The front of Clients: what a request needs to be taken, and how a hello becomes a welcome.
#include <fmt/format.h>

#include "ring/core/clients.hpp"

namespace anel {
namespace {

constexpr auto no_session = "the ledger has no session of this client id any more";
constexpr auto session_changed = "the session of this client id changed while the hello waited; say hello again";

std::string another_instance(const Session& session) {
    return fmt::format("another instance has this client id; its next client sequence is {}", session.last.value + 1);
}

}  // namespace

void Clients::arrived(const Connection& connection, const Blob& frame) {
    if (is_plain_text(frame.bytes())) {
        if (refusal_) {
            context_.act(ReplyClient{connection, TextError{refusal_->code, refusal_->why}});
            return;
        }
        for (const auto& own : anonymous_.text_arrived(connection, frame)) take(own_connection(), own);
    } else {
        take(connection, frame);
    }
    serve_own_client();
}

void Clients::take(const Connection& connection, const Blob& frame) {
    const auto request = decode_request(frame.bytes(), context_.config.client_limits);
    if (!request) {
        const auto& bad = request.error();
        const auto code = bad.code == ErrorCode::too_large ? RejectCode::too_large : RejectCode::malformed;
        auto* client = find(bad.client_id, bad.instance);
        if (client && client->connection == connection) client->dropping = true;
        reply(connection, Reject{bad.client_id, bad.sequence, code, bad.text});
        return;
    }
    std::visit(Overloaded{
                   [&](const HelloRequest& hello) { take_hello(connection, hello); },
                   [&](const PushRequest& push) { take_push(connection, frame, push); },
                   [&](const ByeRequest& bye) { take_bye(connection, frame, bye); },
                   [&](const StatusRequest&) {},  // the shell answers it
               },
               *request);
}

void Clients::take_hello(const Connection& connection, const HelloRequest& hello) {
    const bool own = connection == own_connection();
    if (!own && hello.client_id.starts_with(anonymous_prefix)) {
        reply(connection, Reject{hello.client_id,
                                 {},
                                 RejectCode::malformed,
                                 fmt::format("client ids that begin with '{}' belong to the nodes", anonymous_prefix)});
        return;
    }
    if (refusal_) {
        reply(connection, Reject{hello.client_id, {}, refusal_->code, refusal_->why});
        return;
    }
    auto* client = find_or_make(hello);
    if (!client) {
        reply(connection, Busy{hello.client_id, {}, 1000});
        return;
    }
    // Said again on a connection that was welcomed, it goes on there: pushes of that welcome may stand behind it.
    const bool said_again = !own && client->connection == connection;
    client->continues = hello.birth.value == 0 && said_again ? client->birth : hello.birth;
    client->connection = connection;
    client->sent = hello.sent;
    client->dropping = false;
    if (client->greeting == Greeting::none || client->greeting == Greeting::welcomed) ask(*client, Greeting::asking);
}

void Clients::take_push(const Connection& connection, const Blob& frame, const PushRequest& push) {
    auto* client = find(push.client_id, push.instance);
    if (!client || client->greeting != Greeting::welcomed || client->connection != connection) {
        reply(connection, Reject{std::string{push.client_id}, push.first, RejectCode::hello_first,
                                 "say hello on this connection and wait for the welcome"});
        return;
    }
    clients_.splice(clients_.end(), clients_, client->self);
    if (refused(*client, push)) return;
    client->dropping = false;
    client->accepted = push.last();
    enqueue({client, Kind::push, client->birth, push.first, push.last(), frame});
}

bool Clients::refused(Client& client, const PushRequest& push) {
    const auto* session = context_.sessions.find(client.client_id);
    if (session && session->birth == client.birth) client.accepted = std::max(client.accepted, session->last);
    const auto expected = client.accepted.next();
    if (client.dropping && push.first > expected) return true;
    if (!session) {
        reject(client, push.first, RejectCode::session_retired, no_session);
        return true;
    }
    if (session->birth != client.birth) {
        reject(client, push.first, RejectCode::conflict, another_instance(*session));
        return true;
    }
    if (push.first <= session->inherited) {
        reject(
            client, push.first, RejectCode::conflict,
            fmt::format("that number is a message of another instance; expected client sequence {}", expected.value));
        return true;
    }
    if (push.last() <= session->last) {  // written: acked again, once it is durable
        if (context_.durable >= session->round) {
            reply(client.connection, Ack{client.client_id, session->last, session->sequence, session->round});
        } else {
            owe_ack(client, *session);
        }
        return true;
    }
    if (push.last() <= client.accepted) return true;  // taken already, its ack will come
    if (push.first > expected) {
        reject(client, push.first, RejectCode::gap, fmt::format("expected client sequence {}", expected.value));
        return true;
    }
    if (refusal_) {
        reject(client, push.first, refusal_->code, refusal_->why);
        return true;
    }
    const auto& config = context_.config;
    const std::size_t size = push.messages.size();
    const bool window_full =
        client.pending_bytes > 0 && client.pending_bytes + size > config.client_limits.window_bytes;
    if (window_full || pending_bytes_ + size > config.pending_bytes) {
        client.dropping = true;
        reply(client.connection, Busy{client.client_id, push.first, window_full ? 5U : 50U});
        return true;
    }
    return false;
}

void Clients::take_bye(const Connection& connection, const Blob& frame, const ByeRequest& bye) {
    auto* client = find(bye.client_id, bye.instance);
    if (!client || client->greeting != Greeting::welcomed || client->connection != connection) {
        reply(connection,
              Reject{
                  bye.client_id, {}, RejectCode::hello_first, "say hello on this connection and wait for the welcome"});
        return;
    }
    if (client->bye_waits) return;  // said before; the answer will come
    enqueue({client, Kind::bye, client->birth, {}, {}, frame});
}

/// A hello is judged by a table that is known to have every decided round.
void Clients::judge(Client& client) {
    const auto* session = context_.sessions.find(client.client_id);
    const bool continues = client.continues.value != 0;
    if (session && session->instance == client.instance && (!continues || client.continues == session->birth)) {
        if (!welcome(client, *session)) ask(client, client.greeting);
        return;
    }
    const bool proposed = client.greeting == Greeting::decided;
    client.greeting = Greeting::none;
    if (continues || client.sent.value > 0) {
        refuse_to_continue(client, session);
    } else if (!proposed) {
        propose_hello(client);
    } else if (session) {
        reject(client, {}, RejectCode::conflict, another_instance(*session));
    } else if (context_.sessions.size() < context_.config.sessions) {
        reject(client, {}, RejectCode::hello_first, session_changed);  // made, and gone again
    } else {
        reject(client, {}, RejectCode::too_many_sessions,
               fmt::format("the ledger has {} sessions and none that is idle", context_.sessions.size()));
    }
}

/// The session under which this client pushed has ended. What its instance has now, if anything, was made by a hello that
/// slept in some node meanwhile, and does not know what was pushed.
void Clients::refuse_to_continue(Client& client, const Session* session) {
    if (session && session->instance != client.instance) {
        reject(client, {}, RejectCode::conflict, another_instance(*session));
    } else {
        reject(client, {}, RejectCode::session_retired, no_session);
    }
}

/// @return false while what the welcome would vouch for is not durable.
bool Clients::welcome(Client& client, const Session& session) {
    if (context_.durable < session.round) {
        await_durable();
        return false;
    }
    if (client.birth != session.birth) {
        purge(client);
        client.accepted = session.last;
    }
    client.greeting = Greeting::welcomed;
    client.birth = session.birth;
    client.accepted = std::max(client.accepted, session.last);
    reply(client.connection,
          Welcome{client.client_id, session.last, context_.config.self, context_.config.client_limits, session.birth});
    return true;
}

void Clients::propose_hello(Client& client) {
    client.greeting = Greeting::proposed;
    const auto* session = context_.sessions.find(client.client_id);
    enqueue({&client,
             Kind::hello,
             session ? session->birth : Round{},
             {},
             {},
             Blob::of(encode(HelloRequest{client.client_id, client.instance, {}}))});
}

/// A hello that waits was judged, or will be, by what its client had sent when it said it. Once its session has changed,
/// the client may have gone on at other nodes and the session may even be gone again: nothing tells that hello from a new
/// one, and what it would create gets old numbers written twice. So its client is asked where it stands now.
/// @param changed  says of a client id whether its session may have changed.
template <class Changed>
void Clients::drop_hellos(Changed changed) {
    std::erase_if(greeting_, [&](Client* client) {
        const bool drop = client->greeting == Greeting::asking && client->sent.value == 0 &&
                          changed(client->client_id) && overtaken(*client);
        if (drop) --client->references;
        return drop;
    });
    if (hellos_ == 0) return;
    drop_waiting([&](const Pending& pending) {
        return pending.kind == Kind::hello && changed(pending.client->client_id) &&
               (resolve(pending) || overtaken(*pending.client));
    });
}

void Clients::drop_overtaken_hellos(const RoundResult& result) {
    if (hellos_ == 0 && greeting_.empty()) return;
    std::set<std::string_view> ids;
    for (const auto& change : result.changes) ids.insert(change.client_id);
    drop_hellos([&](const std::string& client_id) { return ids.contains(client_id); });
}

void Clients::table_replaced() {
    drop_hellos([](const std::string&) { return true; });
}

/// Refuses a hello that waited while its session changed. @return false where that does no harm.
bool Clients::overtaken(Client& client) {
    // The node's own client says hello here alone, and does not go on before it is welcomed.
    if (client.connection == own_connection()) return false;
    const auto* session = context_.sessions.find(client.client_id);
    if (session && session->instance == client.instance) return false;
    client.greeting = Greeting::none;
    reject(client, {}, RejectCode::hello_first, session_changed);
    return true;
}

Clients::Client* Clients::find(std::string_view client_id, Instance instance) {
    const auto found = by_key_.find({client_id, instance});
    return found == by_key_.end() ? nullptr : &*found->second;
}

/// @return none when the node knows as many clients as it may and all of them wait for something.
Clients::Client* Clients::find_or_make(const HelloRequest& hello) {
    if (auto* known = find(hello.client_id, hello.instance)) {
        clients_.splice(clients_.end(), clients_, known->self);
        return known;
    }
    if (clients_.size() >= context_.config.clients) {
        // The one not heard of for longest that waits for nothing; a few looks suffice in any sane state.
        auto idlest = clients_.begin();
        for (int looks = 0; looks < 64 && idlest != clients_.end() && idlest->references > 0; ++looks) ++idlest;
        if (idlest == clients_.end() || idlest->references > 0) return nullptr;
        by_key_.erase({idlest->client_id, idlest->instance});
        clients_.erase(idlest);
    }
    auto& client = clients_.emplace_back();
    client.client_id = hello.client_id;
    client.instance = hello.instance;
    client.self = std::prev(clients_.end());
    by_key_.emplace(Key{client.client_id, client.instance}, client.self);
    return &client;
}

void Clients::ask(Client& client, Greeting greeting) {
    client.greeting = greeting;
    ++client.references;
    greeting_.push_back(&client);
    words_due_ = true;
}

bool Clients::wants_words() const {
    return (words_due_ && !greeting_.empty()) || (recheck_at_ && *recheck_at_ <= context_.now.steady);
}

void Clients::words_read(bool fresh) {
    words_due_ = false;
    recheck_at_.reset();
    if (fresh) {
        auto asked = std::move(greeting_);
        greeting_.clear();
        for (auto* client : asked) {
            --client->references;
            judge(*client);
        }
        words_due_ = false;  // who has to wait waits for a round or for the recheck
    }
    if (!greeting_.empty() || !due_.empty()) recheck_at_ = context_.now.steady + context_.config.timing.durable_recheck;
    else stalled_since_.reset();
    serve_own_client();
}

}  // namespace anel

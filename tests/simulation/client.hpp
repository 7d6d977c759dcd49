// A client as docs/PROTOCOL.md wants it, with an outbox, in a world where everything it talks to fails.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "tests/simulation/judge.hpp"
#include "tests/simulation/mail.hpp"

namespace anel::simulation {

class Client {
public:
    /// @param name  begins every payload; two clients with one id have two names.
    Client(World& world, Mail& mail, Judge& judge, std::string id, std::string name)
        : world_{world}, mail_{mail}, judge_{judge}, id_{std::move(id)}, name_{std::move(name)} {}

    void start();
    /// The process dies and comes back, with its outbox or without.
    void crash();
    /// Leaves its node for another one with whatever is under way.
    void fail_over();
    /// Gives up for good, without a word.
    void vanish();
    /// Makes the last messages at once; after them it only waits for acks.
    void hurry();
    [[nodiscard]] bool done() const { return left_ == 0 && outbox_.empty(); }
    /// Done, and it will do nothing more by itself.
    [[nodiscard]] bool at_rest() const { return done() && !ticking_; }
    /// Another client takes its place.
    void begin_again(std::string id);
    [[nodiscard]] std::string describe() const;

private:
    struct Item {
        ClientSequence sequence;  ///< 0 until the welcome of a new instance says where to go on
        Timestamp timestamp = 0;
        std::string payload;
    };

    void new_instance();
    void connect();
    void hello();
    [[nodiscard]] Round birth_to_name() const { return sent_.value == 0 ? Round{} : birth_; }
    void tick();
    void make_messages();
    void number_new();
    void push_some();
    void push(const std::deque<Item>& items, std::size_t from, std::size_t count);
    void push_acked_again();
    void lose_patience();

    void heard(LineNumber line, const ClientReply& reply);
    void on(const Welcome& welcome);
    void on(const Ack& ack);
    void on(const Busy& busy);
    void on(const Reject& reject);
    void on(const Byed& byed);
    void on(const TextOk&) { throw Violation{"a client of msgpack was answered in plain text"}; }
    void on(const TextError&) { throw Violation{"a client of msgpack was answered in plain text"}; }
    void on(const StatusReply&) { throw Violation{"nobody asked for status"}; }
    void wait_for(Duration at_least, Duration at_most);

    World& world_;
    Mail& mail_;
    Judge& judge_;
    std::string id_;
    std::string name_;

    // What survives with the outbox.
    Instance instance_;
    ClientSequence sent_;  ///< highest ever pushed by this instance
    ClientSequence acked_;
    Round birth_;  ///< of the session that it pushed under
    std::deque<Item> outbox_;
    std::deque<Item> history_;  ///< acked lately

    std::uint64_t left_ = 0;  ///< messages still to make
    std::uint64_t made_ = 0;
    std::optional<LineNumber> line_;
    NodeId node_;
    bool ticking_ = false;
    bool welcomed_ = false;
    bool leaving_ = false;    ///< bye was sent on this line
    std::size_t cursor_ = 0;  ///< outbox items before it were pushed on this line
    SimTime patience_until_{0};
    SimTime quiet_until_{0};  ///< after busy or reject
};

}  // namespace anel::simulation

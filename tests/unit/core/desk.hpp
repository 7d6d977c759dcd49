// The client side of one node, with the rest of the ring played by the test: it closes rounds, makes them durable, and
// reads the words when it is asked to.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "ring/core/clients.hpp"
#include "ring/core/round_builder.hpp"

namespace anel::testing {

/// @param birth  of the session that it goes on with; 0: it knows of none.
inline Blob hello(std::string client_id, std::uint64_t instance, std::uint64_t sent = 0, std::uint64_t birth = 0) {
    return Blob::of(encode(HelloRequest{std::move(client_id), Instance{instance}, ClientSequence{sent}, Round{birth}}));
}
inline Blob bye(std::string client_id, std::uint64_t instance) {
    return Blob::of(encode(ByeRequest{std::move(client_id), Instance{instance}}));
}
/// Messages `first`, `first` + 1, ... with these payloads, all at timestamp 100.
inline Blob push(std::string_view client_id, std::uint64_t instance, std::uint64_t first,
                 const std::vector<std::string>& payloads) {
    std::vector<Message> messages;
    for (const auto& payload : payloads) messages.push_back({100, payload});
    return Blob::of(encode_push(client_id, Instance{instance}, ClientSequence{first}, messages));
}
inline Bid bid_of(std::uint64_t node, const std::vector<std::pair<std::uint64_t, Blob>>& births_and_frames) {
    Bid bid{NodeId{node}, {}, {}};
    for (const auto& [birth, frame] : births_and_frames) {
        bid.entries.push_back({Round{birth}, static_cast<std::uint32_t>(frame.size())});
        bid.chunks.push_back(frame);
    }
    return bid;
}

inline NodeConfig one_of_three(std::uint64_t self = 0) {
    NodeConfig config;
    config.self = NodeId{self};
    config.nodes = {{0}, {1}, {2}};
    return config;
}

struct Desk {
    Context context;
    Clients clients{context};
    View view;
    std::string output;  ///< the text of all rounds
    std::size_t read = 0;

    explicit Desk(NodeConfig config = one_of_three())
        : context{.config = std::move(config),
                  .incarnation = {0xabcd},
                  .ledger = {1},
                  .random = std::mt19937_64{1},
                  .now = {Instant{std::chrono::seconds{1000}}, 1'700'000'000'000'000},
                  .actions = {},
                  .sessions = {},
                  .tip = {},
                  .durable = {}} {
        view = {{1}, {0}, {1}, {{{0}, {0xabcd}, "a"}, {{1}, {0xb}, "b"}, {{2}, {0xc}, "c"}}};
    }

    static Connection line(const std::string& name) { return {name, false}; }

    /// What was said since the last look, and to whom.
    std::vector<ReplyClient> said() {
        std::vector<ReplyClient> replies;
        for (; read < context.actions.size(); ++read) {
            const auto* reply = std::get_if<ReplyClient>(&context.actions[read]);
            BOOST_REQUIRE_MESSAGE(reply, "the client side does nothing but reply");
            replies.push_back(*reply);
        }
        return replies;
    }
    template <class Reply>
    std::vector<Reply> said_of() {
        std::vector<Reply> found;
        for (const auto& reply : said()) {
            if (const auto* wanted = std::get_if<Reply>(&reply.reply)) found.push_back(*wanted);
        }
        return found;
    }
    /// The one thing that was said.
    template <class Reply>
    Reply only() {
        const auto replies = said();
        BOOST_REQUIRE_EQUAL(replies.size(), 1U);
        const auto* wanted = std::get_if<Reply>(&replies.front().reply);
        BOOST_REQUIRE_MESSAGE(wanted,
                              "another kind of reply than expected: " << as_text(encode(replies.front().reply)));
        return *wanted;
    }
    /// Of the session that the ledger has of this client id; 0: none.
    [[nodiscard]] std::uint64_t birth(std::string_view client_id) const {
        const auto* session = context.sessions.find(client_id);
        return session ? session->birth.value : 0;
    }
    bool silent() { return said().empty(); }

    void arrive(const std::string& from, const Blob& frame) {
        clients.arrived(line(from), frame);
        clients.check_invariants();
    }
    void words(bool fresh = true) {
        while (clients.wants_words()) {
            clients.words_read(fresh);
            if (!fresh) break;
        }
        clients.check_invariants();
    }
    void decide(std::vector<Bid> bids) {
        const auto record = build_round(context, view, std::move(bids));
        if (!record) return;
        output += record->text;
        apply(
            {{1}, record->round, record->first, record->count, record->wall_us, record->text.size(), record->changes});
    }
    void apply(const RoundResult& result) {
        context.apply(result);
        clients.applied(result);
    }
    /// One lap: the node's bid, with those of others, decided and settled.
    void round(std::vector<Bid> others = {}) {
        if (auto bid = clients.make_bid(context.config.token_bytes, true)) others.push_back(std::move(*bid));
        decide(std::move(others));
        clients.settled(false);
        clients.check_invariants();
    }
    /// The epoch ended without a word about the node's bid, and the ledger shows nothing new.
    void view_change() {
        clients.epoch_left();
        clients.bid_again();
        clients.check_invariants();
    }
    void durable() {
        context.durable = context.tip.round;
        clients.durable_raised();
        clients.check_invariants();
    }
    /// Rounds and syncs until nothing moves.
    void run() {
        for (int turn = 0; turn < 8; ++turn) {
            words();
            if (clients.has_work()) round();
            durable();
        }
    }
    void greet(const std::string& from, const std::string& client_id, std::uint64_t instance, std::uint64_t sent = 0) {
        arrive(from, hello(client_id, instance, sent));
        run();
        const auto welcomes = said_of<Welcome>();
        BOOST_REQUIRE_EQUAL(welcomes.size(), 1U);
    }
    void tick(Duration by) {
        context.now.steady += by;
        context.now.wall_us += by.count();
    }
};

}  // namespace anel::testing

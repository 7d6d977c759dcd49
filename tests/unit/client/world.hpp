// A small world for a session: it records what the shell would have to do.
#pragma once

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "client/session.hpp"

namespace anel::client {

struct SentPush {
    ClientSequence first;
    std::vector<std::string> payloads;
};

class World {
public:
    explicit World(std::size_t nodes = 3, const KeptOutbox& earlier = {}, std::uint32_t batch_messages = 4,
                   std::size_t window_messages = 64)
        : session{options(nodes, batch_messages, window_messages), earlier},
          kept_up_to_{earlier.sent},
          kept_birth_{earlier.birth} {}

    explicit World(SessionOptions wanted) : session{std::move(wanted)} {}

    static SessionOptions options(std::size_t nodes, std::uint32_t batch_messages, std::size_t window_messages) {
        SessionOptions wanted;
        wanted.client_id = "tea";
        wanted.instance = Instance{7};
        wanted.fresh_instance = Instance{8};
        wanted.nodes = nodes;
        wanted.batch_messages = batch_messages;
        wanted.window_messages = window_messages;
        return wanted;
    }

    void step(const Input& input) {
        Actions actions;
        session.step(input, now, actions);
        take(actions);
    }
    void tick(Duration time = {}) {
        now += time;
        step(Ticked{});
    }
    void push(const std::string& payload) {
        BOOST_REQUIRE(session.push(1, payload));
        if (session.wants_step()) tick();
    }
    void push_many(int count, const std::string& prefix = "m") {
        for (int number = 1; number <= count; ++number)
            BOOST_REQUIRE(session.push(number, prefix + std::to_string(number)));
        tick();
    }
    void reply(ClientReply one) { step(Replied{std::move(one)}); }
    void ack(std::uint64_t last) { reply(Ack{"tea", {last}, {100 + last}, {9}}); }
    void reject(std::uint64_t sequence, RejectCode code) { reply(Reject{"tea", {sequence}, code, "why"}); }
    void busy(std::uint64_t first, std::uint64_t ms) { reply(Busy{"tea", {first}, ms}); }
    void welcome(std::uint64_t last, limits::ClientLimits limits = {}) {
        reply(Welcome{"tea", {last}, {0}, limits, birth});
    }
    /// The link of the last OpenLink comes to stand and its node greets back.
    void meet(std::uint64_t last) {
        if (session.state() == LinkState::waiting) tick();
        step(Connected{});
        BOOST_REQUIRE_EQUAL(static_cast<int>(session.state()), static_cast<int>(LinkState::greeting));
        welcome(last);
    }
    /// Runs to the first link with a fresh session.
    void begin(std::uint64_t last = 0) {
        tick();
        meet(last);
    }
    void forget_sent() {
        pushes.clear();
        hellos.clear();
    }

    Session session;
    Instant now{std::chrono::seconds{1000}};
    std::vector<std::size_t> opened;
    std::vector<std::string> closed;
    std::vector<HelloRequest> hellos;
    std::vector<SentPush> pushes;
    std::vector<ClientSequence> kept;
    std::vector<ClientSequence> forgotten;
    std::map<std::uint64_t, Outcome> outcomes;  ///< by ordinal; each settled once, or the test fails
    std::size_t runs = 0;                       ///< so many times was told what became of messages
    std::vector<std::string> ended;
    std::vector<Round> births;  ///< kept
    Round birth{3};             ///< what welcomes tell
    std::uint64_t instance = 7;
    int byes = 0;
    int replaced = 0;

private:
    static constexpr limits::ClientLimits any{UINT32_MAX, UINT32_MAX, UINT32_MAX};
    void sent(const Blob& frame) {
        const auto request = decode_request(frame.bytes(), any);
        BOOST_REQUIRE(request);
        if (const auto* hello = std::get_if<HelloRequest>(&*request)) hellos.push_back(*hello);
        if (std::holds_alternative<ByeRequest>(*request)) ++byes;
        if (const auto* push = std::get_if<PushRequest>(&*request)) {
            BOOST_TEST(push->client_id == "tea");
            BOOST_TEST(push->instance.value == instance);
            // Else a restart gives its numbers to other messages.
            BOOST_TEST(push->last().value <= kept_up_to_.value,
                       "sent before the outbox has it: " << push->last().value);
            SentPush one{push->first, {}};
            for (MessageReader messages{*push}; messages.more();) one.payloads.emplace_back(messages.next().payload);
            pushes.push_back(std::move(one));
        }
    }
    void take(const Actions& actions) {
        for (const auto& action : actions) {
            std::visit(Overloaded{[&](const OpenLink& one) { opened.push_back(one.node); },
                                  [&](const CloseLink& one) { closed.push_back(one.why); },
                                  [&](const SendFrame& one) { sent(one.frame); },
                                  [&](const KeepBirth& one) { births.push_back(one.birth); },
                                  [&](const KeepFrame& one) {
                                      // Else a restart cannot say which session it was pushed under.
                                      BOOST_TEST(((births.empty() ? kept_birth_ : births.back()) == birth));
                                      const auto request = decode_request(one.frame.bytes(), any);
                                      kept.push_back(std::get<PushRequest>(*request).first);
                                      kept_up_to_ = std::get<PushRequest>(*request).last();
                                  },
                                  [&](const ForgetKept& one) { forgotten.push_back(one.acked); },
                                  [&](const ReplaceKept&) { ++replaced; },
                                  [&](const Renewed& one) {
                                      instance = one.instance.value;
                                      kept_up_to_ = {};
                                  },
                                  [&](const Settled& one) {
                                      ++runs;
                                      for (auto at = one.first.value; at <= one.last.value; ++at) {
                                          BOOST_TEST(outcomes.emplace(at, one.outcome).second, "settled twice: " << at);
                                      }
                                  },
                                  [&](const Ended& one) { ended.push_back(one.why); }},
                       action);
        }
    }

    ClientSequence kept_up_to_;
    Round kept_birth_;
};

inline bool is_durable(const World& world, std::uint64_t ordinal) {
    const auto found = world.outcomes.find(ordinal);
    return found != world.outcomes.end() && std::holds_alternative<Durable>(found->second);
}
inline bool is_refused(const World& world, std::uint64_t ordinal) {
    const auto found = world.outcomes.find(ordinal);
    return found != world.outcomes.end() && std::holds_alternative<Refused>(found->second);
}
inline bool is_unknown(const World& world, std::uint64_t ordinal) {
    const auto found = world.outcomes.find(ordinal);
    return found != world.outcomes.end() && std::holds_alternative<Unknown>(found->second);
}

}  // namespace anel::client

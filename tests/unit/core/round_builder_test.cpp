// What an elected round becomes, against docs/DESIGN.md section 4 written down a second time, naively.
#include <map>

#include "ring/core/anonymous.hpp"
#include "tests/unit/common/seed.hpp"
#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

constexpr std::int64_t day_us = std::int64_t{24} * 3600 * 1'000'000;

Session session_of(std::uint64_t instance, std::uint64_t birth, std::uint64_t last) {
    Session session;
    session.instance = {instance};
    session.birth = {birth};
    session.last = {last};
    session.sequence = {last};
    session.round = {birth};
    return session;
}

/// A world whose next round is 11, whose next sequence is 101.
struct Builder : Desk {
    Builder() {
        context.tip.round = {10};
        context.tip.sequence = {100};
    }
    void has(const std::string& client_id, const Session& session) { context.sessions.apply({client_id, session, {}}); }
    std::optional<RoundRecord> build(std::vector<Bid> bids) { return build_round(context, view, std::move(bids)); }
    std::string text(std::vector<Bid> bids) {
        const auto record = build(std::move(bids));
        return record ? record->text : "nothing";
    }
};

Blob push_at(std::string_view client_id, std::uint64_t instance, std::uint64_t first,
             const std::vector<std::pair<std::int64_t, std::string>>& timed) {
    std::vector<Message> messages;
    for (const auto& [time, payload] : timed) messages.push_back({time, payload});
    return Blob::of(encode_push(client_id, {instance}, {first}, messages));
}

std::string lines(const std::vector<std::pair<std::uint64_t, std::string>>& containers_and_payloads) {
    std::string text;
    for (const auto& [container, payload] : containers_and_payloads) {
        text += "Container " + std::to_string(container) + " \nMensagem: " + payload + "\n";
    }
    return text + std::string(56, '#') + "\n";
}

const SessionChange* change_of(const RoundRecord& record, const std::string& client_id) {
    for (const auto& change : record.changes) {
        if (change.client_id == client_id) return &change;
    }
    return nullptr;
}

// --- the naive reference ---------------------------------------------------------------------------

struct Plain {
    std::int64_t time;
    std::uint64_t rank;
    std::string client_id;
    std::uint64_t sequence;
    std::uint64_t container;
    std::string payload;
};

struct Expected {
    std::string text;
    std::map<std::string, std::optional<Session>> changes;
};

/// A push of a bid as the test made it, before any encoding.
struct PlainPush {
    std::uint64_t container, birth;
    std::string client_id;
    std::uint64_t instance, first;
    std::vector<std::pair<std::int64_t, std::string>> messages;
};
struct PlainHello {
    std::uint64_t container;
    std::string client_id;
    std::uint64_t instance, sent;
    std::uint64_t birth;  ///< of the session by which it was judged; 0: none
};

Expected expect(const Context& context, const std::vector<PlainPush>& pushes, const std::vector<PlainHello>& hellos) {
    std::vector<Plain> all;
    for (const auto& push : pushes) {
        const auto* session = context.sessions.find(push.client_id);
        if (!session || session->birth.value != push.birth || session->instance.value != push.instance) continue;
        if (push.first <= session->inherited.value) continue;
        for (std::size_t index = 0; index < push.messages.size(); ++index) {
            all.push_back({push.messages[index].first, push.container, push.client_id, push.first + index,
                           push.container, push.messages[index].second});
        }
    }
    Expected expected;
    std::map<std::string, std::vector<Plain>> taken;
    for (const auto& [client_id, session] : context.sessions.by_idleness()) {
        for (auto wanted = session.last.value + 1;; ++wanted) {
            const Plain* copy = nullptr;
            for (const auto& plain : all) {
                if (plain.client_id != client_id || plain.sequence != wanted) continue;
                if (!copy || plain.container < copy->container) copy = &plain;
            }
            if (!copy) break;
            auto& mine = taken[client_id];
            mine.push_back(*copy);
            if (mine.size() == 1) continue;
            const auto& before = mine[mine.size() - 2];
            auto& item = mine.back();
            if (std::pair{item.time, item.rank} < std::pair{before.time, before.rank}) {
                item.time = before.time;
                item.rank = before.rank;
            }
        }
    }
    std::vector<Plain> order;
    for (const auto& [client_id, mine] : taken) order.insert(order.end(), mine.begin(), mine.end());
    std::sort(order.begin(), order.end(), [](const Plain& left, const Plain& right) {
        return std::tie(left.time, left.rank, left.client_id, left.sequence) <
               std::tie(right.time, right.rank, right.client_id, right.sequence);
    });
    const auto round = context.tip.round.next();
    auto sequence = context.tip.sequence;
    for (const auto& item : order) {
        sequence = sequence.next();
        expected.text += "Container " + std::to_string(item.container) + " \nMensagem: " + item.payload + "\n";
        auto& change = expected.changes[item.client_id];
        if (!change) change = *context.sessions.find(item.client_id);
        change->last = {item.sequence};
        change->sequence = sequence;
    }
    if (!order.empty()) expected.text += std::string(56, '#') + "\n";
    std::map<std::string, PlainHello> greeted;  // the lowest container's first
    for (const auto& hello : hellos) {
        const auto* judged_by = context.sessions.find(hello.client_id);
        if (hello.sent != 0 || hello.birth != (judged_by ? judged_by->birth.value : 0)) continue;
        const auto found = greeted.find(hello.client_id);
        if (found == greeted.end() || hello.container < found->second.container) greeted[hello.client_id] = hello;
    }
    for (const auto& [client_id, hello] : greeted) {
        const auto* session = context.sessions.find(client_id);
        if (session && session->instance.value == hello.instance) continue;
        auto& change = expected.changes[client_id];
        if (!change) change = session ? *session : Session{};
        change->instance = {hello.instance};
        change->birth = round;
        change->inherited = change->last;
    }
    for (auto& [client_id, change] : expected.changes) {
        change->round = round;
        change->wall_us = std::max(context.now.wall_us, context.tip.wall_us);
    }
    return expected;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(round_builder)

BOOST_AUTO_TEST_CASE(messages_stand_by_timestamp_then_container_then_client) {
    Builder world;
    world.has("a", session_of(1, 1, 0));
    world.has("b", session_of(2, 2, 0));
    world.has("c", session_of(3, 3, 0));
    const auto record =
        world.build({bid_of(2, {{1, push_at("a", 1, 1, {{5, "a1"}, {9, "a2"}})}}),
                     bid_of(0, {{2, push_at("b", 2, 1, {{9, "b1"}})}, {3, push_at("c", 3, 1, {{5, "c1"}})}})});
    BOOST_REQUIRE(record);
    BOOST_TEST(record->text == lines({{0, "c1"}, {2, "a1"}, {0, "b1"}, {2, "a2"}}));
    BOOST_TEST(record->round.value == 11U);
    BOOST_TEST(record->first.value == 101U);
    BOOST_TEST(record->count == 4U);
    BOOST_TEST(change_of(*record, "a")->session->last.value == 2U);
    BOOST_TEST(change_of(*record, "a")->session->sequence.value == 104U);
    BOOST_TEST(change_of(*record, "a")->session->round.value == 11U);
    BOOST_TEST(change_of(*record, "a")->session->birth.value == 1U);
    BOOST_TEST(change_of(*record, "b")->session->sequence.value == 103U);
    BOOST_TEST(change_of(*record, "a")->each.empty());
}

BOOST_AUTO_TEST_CASE(messages_of_one_client_never_swap_whatever_their_timestamps) {
    Builder world;
    world.has("a", session_of(1, 1, 0));
    world.has("b", session_of(2, 2, 0));
    BOOST_TEST(world.text({bid_of(1, {{1, push_at("a", 1, 1, {{9, "a1"}, {3, "a2"}, {7, "a3"}})}}),
                           bid_of(0, {{2, push_at("b", 2, 1, {{8, "b1"}, {10, "b2"}})}})}) ==
               lines({{0, "b1"}, {1, "a1"}, {1, "a2"}, {1, "a3"}, {0, "b2"}}));
}

BOOST_AUTO_TEST_CASE(the_container_is_raised_together_with_the_timestamp_and_the_line_still_names_who_accepted) {
    Builder world;
    world.has("a", session_of(1, 1, 0));
    world.has("b", session_of(2, 2, 0));
    // a1 came to node 2, a2 to node 0, both at 5: a2 is ranked as of node 2, behind b1 of node 1.
    BOOST_TEST(world.text({bid_of(2, {{1, push_at("a", 1, 1, {{5, "a1"}})}}),
                           bid_of(0, {{1, push_at("a", 1, 2, {{5, "a2"}})}}),
                           bid_of(1, {{2, push_at("b", 2, 1, {{5, "b1"}})}})}) ==
               lines({{1, "b1"}, {2, "a1"}, {0, "a2"}}));
}

BOOST_AUTO_TEST_CASE(of_repeats_the_copy_of_the_lowest_container_stays_and_gives_the_timestamp) {
    Builder world;
    world.has("a", session_of(1, 1, 0));
    world.has("b", session_of(2, 2, 0));
    BOOST_TEST(world.text({bid_of(2, {{1, push_at("a", 1, 1, {{1, "copy of 2"}})}}),
                           bid_of(1, {{1, push_at("a", 1, 1, {{9, "copy of 1"}})}}),
                           bid_of(0, {{2, push_at("b", 2, 1, {{5, "b1"}})}})}) == lines({{0, "b1"}, {1, "copy of 1"}}));
}

BOOST_AUTO_TEST_CASE(a_gap_is_filled_by_the_bid_of_another_node) {
    Builder world;
    world.has("a", session_of(1, 1, 4));
    BOOST_TEST(world.text({bid_of(0, {{1, push_at("a", 1, 7, {{1, "a7"}, {1, "a8"}})}}),
                           bid_of(1, {{1, push_at("a", 1, 3, {{1, "a3"}, {1, "a4"}, {1, "a5"}, {1, "a6"}})}})}) ==
               lines({{1, "a5"}, {1, "a6"}, {0, "a7"}, {0, "a8"}}));
}

BOOST_AUTO_TEST_CASE(nothing_behind_a_gap_is_written) {
    Builder world;
    world.has("a", session_of(1, 1, 4));
    const auto record = world.build({bid_of(0, {{1, push("a", 1, 5, {"a5"})}, {1, push("a", 1, 7, {"a7"})}})});
    BOOST_REQUIRE(record);
    BOOST_TEST(record->count == 1U);
    BOOST_TEST(change_of(*record, "a")->session->last.value == 5U);
    BOOST_TEST(!world.build({bid_of(0, {{1, push("a", 1, 6, {"a6"})}})}).has_value());
}

BOOST_AUTO_TEST_CASE(a_round_of_repeats_alone_takes_no_slot) {
    Builder world;
    world.has("a", session_of(1, 1, 4));
    BOOST_TEST(!world.build({bid_of(0, {{1, push("a", 1, 1, {"a", "b", "c", "d"})}})}).has_value());
    BOOST_TEST(!world.build({}).has_value());
    BOOST_TEST(!world.build({bid_of(0, {{0, hello("a", 1)}})}).has_value());
}

BOOST_AUTO_TEST_CASE(a_message_under_another_birth_or_instance_is_not_written) {
    Builder world;
    world.has("a", session_of(1, 5, 0));
    BOOST_TEST(!world.build({bid_of(0, {{4, push("a", 1, 1, {"x"})}})}).has_value());
    BOOST_TEST(!world.build({bid_of(0, {{6, push("a", 1, 1, {"x"})}})}).has_value());
    BOOST_TEST(!world.build({bid_of(0, {{5, push("a", 2, 1, {"x"})}})}).has_value());
    BOOST_TEST(!world.build({bid_of(0, {{0, push("nobody", 1, 1, {"x"})}})}).has_value());
    BOOST_TEST(world.build({bid_of(0, {{5, push("a", 1, 1, {"x"})}})}).has_value());
}

BOOST_AUTO_TEST_CASE(a_hello_creates_a_session_born_in_this_round) {
    Builder world;
    const auto record = world.build({bid_of(1, {{0, hello("a", 7)}})});
    BOOST_REQUIRE(record);
    BOOST_TEST(record->count == 0U);
    BOOST_TEST(record->text.empty());
    auto expected = session_of(7, 11, 0);
    expected.wall_us = world.context.now.wall_us;
    BOOST_TEST((*change_of(*record, "a")->session == expected));
}

BOOST_AUTO_TEST_CASE(a_hello_takes_over_and_goes_on_after_the_last_sequence) {
    Builder world;
    world.has("a", session_of(1, 1, 4));
    const auto record = world.build({bid_of(1, {{1, hello("a", 7)}, {1, push("a", 1, 5, {"old"})}})});
    BOOST_REQUIRE(record);
    const auto& session = *change_of(*record, "a")->session;
    BOOST_TEST(session.instance.value == 7U);
    BOOST_TEST(session.birth.value == 11U);
    BOOST_TEST(session.last.value == 5U);  // the old instance's message was in time
}

BOOST_AUTO_TEST_CASE(of_two_hellos_in_one_round_the_lowest_container_wins) {
    Builder world;
    const auto record =
        world.build({bid_of(2, {{0, hello("a", 9)}}), bid_of(0, {{0, hello("a", 7)}, {0, hello("a", 8)}})});
    BOOST_REQUIRE(record);
    BOOST_TEST(record->changes.size() == 1U);
    BOOST_TEST(change_of(*record, "a")->session->instance.value == 7U);
}

BOOST_AUTO_TEST_CASE(a_hello_that_has_sent_before_creates_nothing) {
    Builder world;
    BOOST_TEST(!world.build({bid_of(2, {{0, hello("a", 9, 1)}})}).has_value());
    world.has("b", session_of(1, 1, 4));
    BOOST_TEST(!world.build({bid_of(2, {{1, hello("b", 9, 1)}})}).has_value());
}

BOOST_AUTO_TEST_CASE(a_bye_retires_its_own_instance_alone) {
    Builder world;
    world.has("a", session_of(1, 1, 4));
    const auto record = world.build({bid_of(1, {{1, bye("a", 1)}})});
    BOOST_REQUIRE(record);
    BOOST_TEST(!change_of(*record, "a")->session.has_value());
    BOOST_TEST(!world.build({bid_of(1, {{1, bye("a", 2)}})}).has_value());
    BOOST_TEST(!world.build({bid_of(1, {{1, bye("nobody", 2)}})}).has_value());
}

BOOST_AUTO_TEST_CASE(a_bye_accepted_under_another_birth_retires_nothing) {
    Builder world;
    world.has("a", session_of(1, 5, 4));  // the same instance, born again since that bye was accepted
    BOOST_TEST(!world.build({bid_of(1, {{3, bye("a", 1)}})}).has_value());
}

BOOST_AUTO_TEST_CASE(a_bye_of_the_instance_that_is_taken_over_in_the_same_round_retires_nothing) {
    Builder world;
    world.has("a", session_of(1, 1, 4));
    const auto record = world.build({bid_of(1, {{1, bye("a", 1)}}), bid_of(2, {{1, hello("a", 2)}})});
    BOOST_REQUIRE(record);
    BOOST_REQUIRE(change_of(*record, "a")->session.has_value());
    BOOST_TEST(change_of(*record, "a")->session->instance.value == 2U);
}

BOOST_AUTO_TEST_CASE(the_idlest_session_retires_for_a_new_one_but_none_younger_than_a_day) {
    Builder world;
    world.context.config.sessions = 3;
    const auto now = world.context.now.wall_us;
    auto old = session_of(1, 1, 4);
    old.wall_us = now - day_us;
    auto young = session_of(1, 1, 4);
    young.wall_us = now - day_us + 1;
    world.has("oldest", old);
    world.has("old", old);
    world.has("young", young);
    const auto record = world.build({bid_of(0, {{0, hello("new", 7)}})});
    BOOST_REQUIRE(record);
    BOOST_REQUIRE(change_of(*record, "oldest"));
    BOOST_TEST(!change_of(*record, "oldest")->session.has_value());
    BOOST_TEST(!change_of(*record, "old"));
    BOOST_TEST(change_of(*record, "new")->session.has_value());
    const auto three = world.build({bid_of(0, {{0, hello("n1", 7)}, {0, hello("n2", 7)}, {0, hello("n3", 7)}})});
    BOOST_REQUIRE(three);
    BOOST_TEST(change_of(*three, "n2")->session.has_value());
    BOOST_TEST(!change_of(*three, "n3"));  // nobody idle is left
    BOOST_TEST(!change_of(*three, "young"));
    for (const auto& change : three->changes) world.context.sessions.apply(change);
    BOOST_TEST(world.context.sessions.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_session_with_something_in_the_round_is_not_idle) {
    Builder world;
    world.context.config.sessions = 2;
    auto old = session_of(1, 1, 4);
    old.wall_us = world.context.now.wall_us - 2 * day_us;
    world.has("oldest", old);
    world.has("old", old);
    const auto record = world.build({bid_of(0, {{0, hello("new", 7)}, {1, push("oldest", 1, 5, {"alive"})}})});
    BOOST_REQUIRE(record);
    BOOST_TEST(change_of(*record, "oldest")->session.has_value());
    BOOST_TEST(!change_of(*record, "old")->session.has_value());
}

BOOST_AUTO_TEST_CASE(the_wall_time_of_rounds_never_goes_back) {
    Builder world;
    world.context.tip.wall_us = world.context.now.wall_us + 5;
    const auto record = world.build({bid_of(0, {{0, hello("new", 7)}})});
    BOOST_TEST(record->wall_us == world.context.tip.wall_us);
    BOOST_TEST(change_of(*record, "new")->session->wall_us == world.context.tip.wall_us);
}

BOOST_AUTO_TEST_CASE(anonymous_sessions_tell_each_sequence_and_those_of_replaced_incarnations_retire) {
    Builder world;
    const auto mine = anonymous_client_id({1}, {0xb});
    const auto replaced = anonymous_client_id({1}, {0xbbb});
    const auto absent = anonymous_client_id({10}, {0xb});
    world.has("a", session_of(1, 1, 0));
    world.has(mine, session_of(0xb, 2, 3));
    world.has(replaced, session_of(0xbbb, 1, 3));
    world.has(absent, session_of(0xb, 1, 3));
    const auto record = world.build({bid_of(1, {{2, push_at(mine, 0xb, 4, {{1, "x"}, {9, "y"}})}}),
                                     bid_of(0, {{1, push_at("a", 1, 1, {{5, "a"}})}})});
    BOOST_REQUIRE(record);
    BOOST_TEST(record->text == lines({{1, "x"}, {0, "a"}, {1, "y"}}));
    BOOST_TEST((change_of(*record, mine)->each == std::vector<Sequence>{{101}, {103}}));
    BOOST_REQUIRE(change_of(*record, replaced));
    BOOST_TEST(!change_of(*record, replaced)->session.has_value());
    BOOST_TEST(!change_of(*record, absent));  // who is not in the view may come back with its bids
    BOOST_TEST(!world.build({}).has_value());
}

BOOST_AUTO_TEST_CASE(the_order_of_bids_on_the_token_does_not_matter) {
    Builder world;
    world.has("a", session_of(1, 1, 0));
    std::vector<Bid> bids{bid_of(2, {{1, push("a", 1, 1, {"two"})}}), bid_of(0, {{1, push("a", 1, 1, {"zero"})}}),
                          bid_of(1, {{0, hello("n", 1)}})};
    const auto record = world.build(bids);
    std::reverse(bids.begin(), bids.end());
    BOOST_TEST((world.build(bids) == record));
}

BOOST_AUTO_TEST_CASE(random_bids_agree_with_the_naive_reference) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 3000; ++turn) {
        Builder world;
        const auto name = [&] { return "c" + std::to_string(dice.roll(4)); };
        for (int client = 0; client < 3; ++client) {
            if (dice.once_in(5)) continue;
            auto session = session_of(1 + dice.roll(2), 1 + dice.roll(2), dice.roll(4));
            session.inherited = {dice.roll(session.last.value + 1)};
            world.has("c" + std::to_string(client), session);
        }
        std::vector<PlainPush> pushes;
        std::vector<PlainHello> hellos;
        std::vector<Bid> bids;
        std::vector<std::uint64_t> nodes{0, 1, 2};
        std::shuffle(nodes.begin(), nodes.end(), std::mt19937_64{dice.word()});
        for (const auto node : nodes) {
            std::vector<std::pair<std::uint64_t, Blob>> entries;
            for (auto left = dice.roll(5); left > 0; --left) {
                if (dice.once_in(6)) {
                    hellos.push_back({node, name(), 1 + dice.roll(3), dice.roll(2), dice.roll(3)});
                    const auto& said = hellos.back();
                    entries.emplace_back(said.birth, hello(said.client_id, said.instance, said.sent));
                    continue;
                }
                PlainPush made{node, 1 + dice.roll(2), name(), 1 + dice.roll(2), 1 + dice.roll(6), {}};
                for (auto count = 1 + dice.roll(4); count > 0; --count) {
                    made.messages.emplace_back(dice.roll(4),
                                               std::to_string(turn) + "/" + std::to_string(dice.roll(1000)));
                }
                entries.emplace_back(made.birth, push_at(made.client_id, made.instance, made.first, made.messages));
                pushes.push_back(made);
            }
            bids.push_back(bid_of(node, entries));
        }
        const auto expected = expect(world.context, pushes, hellos);
        const auto record = world.build(bids);
        BOOST_REQUIRE_EQUAL(record.has_value(), !expected.changes.empty());
        if (!record) continue;
        BOOST_REQUIRE_EQUAL(record->text, expected.text);
        BOOST_REQUIRE_EQUAL(record->changes.size(), expected.changes.size());
        for (const auto& change : record->changes) {
            BOOST_REQUIRE_MESSAGE(expected.changes.contains(change.client_id),
                                  "unexpected change of " << change.client_id);
            BOOST_REQUIRE((change.session == expected.changes.at(change.client_id)));
        }
    }
}

BOOST_AUTO_TEST_CASE(bids_whose_chunks_do_not_match_their_entries_hurt_nobody) {
    Builder world;
    world.has("a", session_of(1, 1, 0));
    const auto good = push("a", 1, 1, {"x"});
    const auto length = static_cast<std::uint32_t>(good.size());
    const std::vector<Bid> hostile{
        {{0}, {{{1}, length}}, {}},
        {{0}, {{{1}, length + 1}}, {good}},
        {{0}, {{{1}, UINT32_MAX}, {{1}, UINT32_MAX}}, {good}},
        {{0}, {{{1}, 0}, {{1}, 0}}, {Blob{}, Blob{}}},
        {{0}, {{{1}, 3}, {{1}, length - 3}}, {good}},
        {{0}, {{{1}, length}}, {good.slice(0, 5), good.slice(5, length - 5)}},
        {{0}, {}, {good}},
        {{63}, {{{1}, length}, {{1}, length}}, {good}},
    };
    for (const auto& bid : hostile) {
        static_cast<void>(world.build({bid}));
        const auto beside = world.build({bid, bid_of(1, {{1, push("a", 1, 1, {"y"})}})});
        BOOST_REQUIRE(beside);
        BOOST_TEST(beside->count == 1U);
    }
    BOOST_TEST(!world.build({hostile[1]}).has_value());
    BOOST_TEST(world.build({hostile[7]}).has_value());  // what is whole before the mismatch counts
}

BOOST_AUTO_TEST_CASE(of_a_batch_that_cannot_be_read_to_its_end_nothing_is_written) {
    Builder world;
    world.has("a", session_of(1, 1, 0));
    const std::string whole{push("a", 1, 1, {"x", "y", "z"}).text()};
    auto torn = whole;
    torn[whole.rfind("z") - 1] = 2;  // one byte more than there is
    for (const auto& batch : {torn, whole + "!", whole.substr(0, whole.size() - 1)}) {
        const auto bid = bid_of(0, {{1, Blob::copy(batch)}});
        BOOST_TEST(world.text({bid}) == "nothing");
        BOOST_TEST(world.text({bid, bid_of(1, {{1, push("a", 1, 1, {"x"})}})}) == lines({{1, "x"}}));
    }
}

BOOST_AUTO_TEST_CASE(random_damage_to_a_bid_never_writes_a_message_twice_or_out_of_order) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 5000; ++turn) {
        Builder world;
        world.has("a", session_of(1, 1, 0));
        auto bytes = push("a", 1, 1, {"x", "y"});
        std::string damaged{bytes.text()};
        for (auto left = 1 + dice.roll(3); left > 0; --left)
            damaged[dice.roll(damaged.size())] = static_cast<char>(dice.roll(256));
        Bid bid{{0},
                {{{1}, static_cast<std::uint32_t>(dice.once_in(4) ? dice.roll(100) : damaged.size())}},
                {Blob::copy(damaged)}};
        const auto record = world.build({bid, bid_of(1, {{1, push("a", 1, 1, {"x", "y"})}})});
        BOOST_REQUIRE(record);
        const auto& last = change_of(*record, "a")->session;
        BOOST_REQUIRE(last);
        BOOST_REQUIRE_EQUAL(record->count, last->last.value);
    }
}

BOOST_AUTO_TEST_SUITE_END()

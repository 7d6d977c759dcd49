// The session table: one entry a client id, in the order of last changes.
#include <boost/test/unit_test.hpp>

#include "ring/core/sessions.hpp"
#include "tests/unit/common/seed.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

Session at_round(std::uint64_t round) {
    Session session;
    session.instance = {1};
    session.birth = {1};
    session.last = {round};
    session.sequence = {round};
    session.round = {round};
    session.wall_us = static_cast<WallTime>(round);
    return session;
}

std::vector<std::string> order(const SessionTable& table) {
    std::vector<std::string> names;
    for (const auto& entry : table.by_idleness()) names.push_back(entry.first);
    return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sessions)

BOOST_AUTO_TEST_CASE(a_changed_session_becomes_the_least_idle) {
    SessionTable table;
    table.apply({"a", at_round(1), {}});
    table.apply({"b", at_round(2), {}});
    table.apply({"c", at_round(3), {}});
    table.apply({"a", at_round(4), {}});
    BOOST_TEST(order(table) == (std::vector<std::string>{"b", "c", "a"}), boost::test_tools::per_element());
    BOOST_TEST((*table.find("a") == at_round(4)));
}

BOOST_AUTO_TEST_CASE(a_retired_session_is_gone_and_retiring_it_again_changes_nothing) {
    SessionTable table;
    table.apply({"a", at_round(1), {}});
    table.apply({"a", std::nullopt, {}});
    table.apply({"a", std::nullopt, {}});
    table.apply({"never", std::nullopt, {}});
    BOOST_TEST(!table.find("a"));
    BOOST_TEST(table.size() == 0U);
    BOOST_TEST(table.by_idleness().empty());
}

BOOST_AUTO_TEST_CASE(the_nodes_own_sessions_are_listed) {
    SessionTable table;
    table.apply({"anon:1:2", at_round(1), {}});
    table.apply({"anonymous", at_round(2), {}});
    BOOST_TEST(table.anonymous().size() == 1U);
    table.apply({"anon:1:2", at_round(3), {}});
    BOOST_TEST(table.anonymous().size() == 1U);
    table.apply({"anon:1:2", std::nullopt, {}});
    BOOST_TEST(table.anonymous().empty());
}

BOOST_AUTO_TEST_CASE(a_reset_leaves_what_the_snapshot_says_and_nothing_else) {
    SessionTable table;
    table.apply({"old", at_round(1), {}});
    table.apply({"anon:1:2", at_round(1), {}});
    table.reset({{9}, {9}, 0, {{"x", at_round(2)}, {"anon:0:1", at_round(3)}, {"y", at_round(4)}}});
    BOOST_TEST(!table.find("old"));
    BOOST_TEST(order(table) == (std::vector<std::string>{"x", "anon:0:1", "y"}), boost::test_tools::per_element());
    BOOST_TEST(table.anonymous() == std::set<std::string>{"anon:0:1"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(random_changes_agree_with_a_plain_list) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    SessionTable table;
    std::vector<std::pair<std::string, Session>> plain;
    for (std::uint64_t round = 1; round <= 5000; ++round) {
        const auto name = (dice.once_in(4) ? "anon:" : "c") + std::to_string(dice.roll(30));
        std::erase_if(plain, [&](const auto& entry) { return entry.first == name; });
        if (dice.once_in(3)) {
            table.apply({name, std::nullopt, {}});
        } else {
            table.apply({name, at_round(round), {}});
            plain.emplace_back(name, at_round(round));
        }
        BOOST_REQUIRE_EQUAL(table.size(), plain.size());
    }
    BOOST_TEST(std::equal(plain.begin(), plain.end(), table.by_idleness().begin(), table.by_idleness().end()));
    for (const auto& [name, session] : plain) BOOST_TEST((*table.find(name) == session));
}

BOOST_AUTO_TEST_SUITE_END()

// A session's birth: what tells a hello that goes on with one from a hello that begins one.
#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

/// Somewhere else in the ring another instance takes the session of "id" over, and ends it.
void taken_over_and_ended(Desk& desk) {
    desk.decide({bid_of(1, {{desk.birth("id"), hello("id", 8)}})});
    desk.decide({bid_of(1, {{desk.birth("id"), bye("id", 8)}})});
    BOOST_REQUIRE(!desk.context.sessions.find("id"));
}

std::size_t times(const Desk& desk, std::string_view text) {
    std::size_t found = 0;
    for (auto at = desk.output.find(text); at != std::string::npos; at = desk.output.find(text, at + 1)) ++found;
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(births)

BOOST_AUTO_TEST_CASE(a_welcome_tells_the_birth_and_a_hello_that_names_it_goes_on) {
    Desk desk;
    desk.arrive("c", hello("id", 7));
    desk.run();
    const auto birth = desk.only<Welcome>().birth;
    BOOST_TEST(birth.value == desk.birth("id"));
    desk.arrive("c", push("id", 7, 1, {"one"}));
    desk.run();
    static_cast<void>(desk.said());
    desk.arrive("d", hello("id", 7, 1, birth.value));
    desk.run();
    const auto again = desk.only<Welcome>();
    BOOST_TEST(again.last.value == 1U);
    BOOST_TEST((again.birth == birth));
}

// A hello lies unread in the socket of a frozen node. Its client goes on at node 1 and pushes; before it hears of an ack,
// another instance takes the session over and ends it. The node wakes up and cannot tell that hello from a new one.
BOOST_AUTO_TEST_CASE(a_hello_that_slept_in_a_socket_makes_no_session_in_which_its_client_writes_twice) {
    Desk desk;
    desk.decide({bid_of(1, {{0, hello("id", 7)}})});
    const auto birth = desk.birth("id");
    desk.decide({bid_of(1, {{birth, push("id", 7, 1, {"one", "two"})}})});
    taken_over_and_ended(desk);
    desk.arrive("old", hello("id", 7));
    desk.run();
    BOOST_REQUIRE_EQUAL(desk.said_of<Welcome>().size(), 1U);  // which nobody hears
    desk.arrive("new", hello("id", 7, 2, birth));
    desk.run();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::session_retired));
    desk.arrive("new", push("id", 7, 1, {"one", "two"}));
    BOOST_TEST((desk.only<Reject>().code == RejectCode::hello_first));
    desk.run();
    BOOST_TEST(times(desk, "one") == 1U);
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_CASE(a_hello_that_names_a_birth_never_makes_a_session) {
    Desk desk;
    desk.arrive("c", hello("id", 7, 0, 5));
    desk.run();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::session_retired));
    BOOST_TEST(desk.context.sessions.size() == 0U);
    desk.greet("d", "id", 8);
    desk.arrive("c", hello("id", 7, 0, 5));
    desk.run();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::conflict));
    BOOST_TEST(desk.context.sessions.find("id")->instance.value == 8U);
    BOOST_TEST(desk.clients.idle());
}

// The hello that slept is proposed already when its client comes to the same node.
BOOST_AUTO_TEST_CASE(who_comes_while_an_old_hello_of_it_is_decided_is_not_welcomed_to_what_that_one_makes) {
    Desk desk;
    desk.decide({bid_of(1, {{0, hello("id", 7)}})});
    const auto birth = desk.birth("id");
    desk.decide({bid_of(1, {{birth, push("id", 7, 1, {"one"})}})});
    taken_over_and_ended(desk);
    desk.arrive("old", hello("id", 7));
    desk.words();
    BOOST_REQUIRE(desk.clients.has_work());
    desk.arrive("new", hello("id", 7, 1, birth));
    desk.run();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::session_retired));
    BOOST_TEST(desk.birth("id") != birth);
    BOOST_TEST(desk.clients.idle());
}

// Two hellos stand in the socket, then pushes: the client went by the welcome that the first one got. The node reads the
// second when that session is over, and the pushes behind it.
BOOST_AUTO_TEST_CASE(a_hello_said_again_on_a_welcomed_connection_goes_on_there) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.decide({bid_of(1, {{desk.birth("id"), push("id", 7, 1, {"one"})}})});
    taken_over_and_ended(desk);
    desk.arrive("c", hello("id", 7));
    desk.run();
    const auto rejects = desk.said_of<Reject>();  // beside the ack of what is written
    BOOST_REQUIRE_EQUAL(rejects.size(), 1U);
    BOOST_TEST((rejects.front().code == RejectCode::session_retired));
    desk.arrive("c", push("id", 7, 1, {"one"}));
    desk.run();
    BOOST_TEST(times(desk, "one") == 1U);
    BOOST_TEST(!desk.context.sessions.find("id"));
}

BOOST_AUTO_TEST_CASE(who_said_bye_may_begin_anew_on_the_same_connection) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", bye("id", 7));
    desk.run();
    BOOST_TEST((desk.only<Byed>() == Byed{"id"}));
    desk.greet("c", "id", 7);
}

// As clients did that know of no births: section 1.6 of docs/PROTOCOL.md says what they can rely on.
BOOST_AUTO_TEST_CASE(a_hello_without_a_birth_is_judged_by_what_was_sent) {
    Desk desk;
    desk.greet("c", "id", 7);
    desk.arrive("c", push("id", 7, 1, {"one"}));
    desk.run();
    static_cast<void>(desk.said());
    desk.arrive("d", hello("id", 7, 1));
    desk.run();
    BOOST_TEST(desk.only<Welcome>().last.value == 1U);
    taken_over_and_ended(desk);
    desk.arrive("e", hello("id", 7, 1));
    desk.run();
    BOOST_TEST((desk.only<Reject>().code == RejectCode::session_retired));
    desk.arrive("f", hello("id", 7));
    desk.run();
    BOOST_TEST(desk.only<Welcome>().last.value == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

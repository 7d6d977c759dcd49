// What a node takes for its own address when its name is looked up again.
#include <boost/test/unit_test.hpp>

#include "ring/daemon/clock.hpp"
#include "ring/transport/own_host.hpp"

using namespace anel;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(own_host)

BOOST_AUTO_TEST_CASE(another_address_of_the_same_kind_is_taken) {
    OwnHost host{NodeId{0}, "node", "10.0.0.1"};
    host.found("10.0.0.2");
    BOOST_TEST(host.numeric() == "10.0.0.2");
    OwnHost ipv6{NodeId{0}, "node", "fd00::1"};
    ipv6.found("fd00::2");
    BOOST_TEST(ipv6.numeric() == "fd00::2");
}

BOOST_AUTO_TEST_CASE(what_nobody_could_reach_us_by_is_not_taken) {
    OwnHost host{NodeId{0}, "node", "10.0.0.1"};
    for (const auto* other : {"", "127.0.0.1", "::1", "fd00::1"}) {
        host.found(other);
        BOOST_TEST(host.numeric() == "10.0.0.1");
    }
    OwnHost loopback{NodeId{0}, "node", "127.0.0.1"};
    loopback.found("10.0.0.1");
    BOOST_TEST(loopback.numeric() == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_look_up_wakes_the_wait_and_is_heard) {
    OwnHost host{NodeId{0}, "localhost", "127.0.0.9"};
    host.look_up(steady_now());
    BOOST_TEST(host.numeric() == "127.0.0.9");  // nothing waited for the answer
    PollSet set;
    host.watch(set);
    set.wait(10s);
    host.receive();
    BOOST_TEST(host.numeric() == "127.0.0.1");
}

BOOST_AUTO_TEST_SUITE_END()

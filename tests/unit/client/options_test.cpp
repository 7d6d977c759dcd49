#include <boost/test/unit_test.hpp>

#include "client/address.hpp"
#include "client/options.hpp"

using namespace anel::client;

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(addresses_are_read) {
    BOOST_TEST((parse_address("localhost:5000").value() == Address{"localhost", 5000}));
    BOOST_TEST((parse_address("[::1]:65535").value() == Address{"::1", 65535}));
    for (const auto* bad :
         {"", "host", "host:", ":5000", "host:0", "host:65536", "host:50x", "tcp://host:5000", "a b:1"}) {
        BOOST_TEST(!parse_address(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(lists_and_ranges_of_nodes_are_read) {
    BOOST_TEST((parse_nodes("a:1,b:2").value() == std::vector<std::string>{"a:1", "b:2"}));
    BOOST_TEST((parse_nodes("a:5000..5002").value() == std::vector<std::string>{"a:5000", "a:5001", "a:5002"}));
    BOOST_TEST((parse_nodes("[::1]:1..2").value() == std::vector<std::string>{"[::1]:1", "[::1]:2"}));
    for (const auto* bad : {"", ",", "a", "a:5..4", "a:1..x", "a:1..1000"}) {
        BOOST_TEST(!parse_nodes(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(options_that_cannot_be_are_refused) {
    Options good{.nodes = {"a:1"}};
    BOOST_TEST(check(good).has_value());
    auto bad = good;
    bad.client_id = std::string(65, 'x');
    BOOST_TEST(!check(bad).has_value());
    bad = good;
    bad.client_id = "anon:1:2";
    BOOST_TEST(!check(bad).has_value());
    bad = good;
    bad.batch_messages = 65'536;
    BOOST_TEST(!check(bad).has_value());
    bad = good;
    bad.message_bytes = 0;
    BOOST_TEST(!check(bad).has_value());
    bad = good;
    bad.nodes.clear();
    BOOST_TEST(!check(bad).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

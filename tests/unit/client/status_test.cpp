#include <boost/test/unit_test.hpp>

#include "client/command/status_view.hpp"

using namespace anel::command;
using nlohmann::json;

namespace {

NodeAnswer node(const char* state, bool taking, std::vector<int> members) {
    return {
        "a:1", json{{"state", state}, {"taking_pushes", taking}, {"members", members}, {"configured", {0, 1, 2}}}, {}};
}
NodeAnswer silent() { return {"b:2", std::nullopt, "no answer"}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(status)

BOOST_AUTO_TEST_CASE(the_health_of_the_ring_is_read_from_its_nodes) {
    const auto good = node("operational", true, {0, 1, 2});
    BOOST_TEST((health_of({good, good, good}) == Health::healthy));
    BOOST_TEST((health_of({good}) == Health::healthy));
    BOOST_TEST((health_of({good, silent(), good}) == Health::degraded));
    BOOST_TEST((health_of({node("operational", true, {0, 1})}) == Health::degraded));
    BOOST_TEST((health_of({good, node("seeking", false, {})}) == Health::degraded));
    BOOST_TEST((health_of({node("seeking", false, {}), silent()}) == Health::no_majority));
    BOOST_TEST((health_of({node("operational", true, {1})}) == Health::no_majority));
    BOOST_TEST((health_of({silent(), silent()}) == Health::no_answer));
}

BOOST_AUTO_TEST_CASE(a_node_that_serves_is_healthy_though_another_is_missing) {
    BOOST_TEST(all_serving({node("operational", true, {0, 1})}));
    BOOST_TEST(!all_serving({node("operational", false, {0, 1})}));
    BOOST_TEST(!all_serving({silent()}));
}

BOOST_AUTO_TEST_CASE(missing_keys_and_wrong_types_do_no_harm) {
    const std::vector<NodeAnswer> odd{{"a:1", json::object(), {}},
                                      {"b:2", json{{"members", "x"}, {"state", 7}, {"epoch", nullptr}}, {}}};
    BOOST_TEST((health_of(odd) == Health::no_majority));
    BOOST_TEST(!table_of(odd).empty());
}

BOOST_AUTO_TEST_SUITE_END()

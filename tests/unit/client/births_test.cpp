// What a client makes of its session's birth: kept before it pushes, named in each later hello, and never exchanged.
#include "tests/unit/client/world.hpp"

using namespace anel;
using namespace anel::client;

BOOST_AUTO_TEST_SUITE(births)

BOOST_AUTO_TEST_CASE(each_hello_behind_a_push_names_the_session_that_it_was_pushed_under) {
    World world;
    world.begin();
    BOOST_TEST((world.births == std::vector<Round>{world.birth}));
    world.push("a");
    world.forget_sent();
    world.step(Disconnected{"gone"});
    world.meet(0);
    BOOST_TEST((world.hellos == std::vector<HelloRequest>{{"tea", {7}, {1}, world.birth}}));
    world.reject(1, RejectCode::gap);
    BOOST_TEST((world.hellos.back() == HelloRequest{"tea", {7}, {1}, world.birth}));
    BOOST_TEST(world.births.size() == 1U);
}

BOOST_AUTO_TEST_CASE(who_has_pushed_nothing_may_begin_in_any_session) {
    World world;
    world.begin();
    world.step(Disconnected{"gone"});
    world.birth = {9};
    world.meet(0);
    BOOST_TEST((world.hellos.back() == HelloRequest{"tea", {7}, {0}}));
    BOOST_TEST((world.births == std::vector<Round>{{3}, {9}}));
    world.push("a");
    world.ack(1);
    BOOST_TEST(is_durable(world, 1));
}

BOOST_AUTO_TEST_CASE(what_was_pushed_is_not_pushed_again_in_another_session) {
    World world;
    world.begin();
    world.push("a");
    world.step(Disconnected{"gone"});
    world.forget_sent();
    world.birth = {9};
    world.meet(0);
    BOOST_TEST(world.pushes.empty());
    BOOST_TEST(is_unknown(world, 1));
    BOOST_REQUIRE_EQUAL(world.ended.size(), 1U);
    BOOST_TEST(world.ended.front().starts_with("session_retired: "));
}

BOOST_AUTO_TEST_CASE(a_restart_goes_on_with_the_session_of_its_outbox) {
    World world{3, KeptOutbox{{1}, {0}, {KeptBatch{{1}, {{1, "m1"}}}}, {3}}};
    world.tick();
    world.step(Connected{});
    BOOST_TEST((world.hellos.at(0) == HelloRequest{"tea", {7}, {1}, {3}}));
    world.welcome(0);
    BOOST_TEST(world.births.empty());
    world.ack(1);
    BOOST_TEST(is_durable(world, 1));
    BOOST_TEST((world.session.outbox().birth == Round{3}));
}

BOOST_AUTO_TEST_CASE(an_outbox_that_knows_of_no_birth_takes_the_one_that_it_is_told) {
    World world{3, KeptOutbox{{1}, {0}, {KeptBatch{{1}, {{1, "m1"}}}}}};
    world.begin();
    BOOST_TEST((world.hellos.back() == HelloRequest{"tea", {7}, {1}}));
    BOOST_TEST((world.births == std::vector<Round>{{3}}));
    world.step(Disconnected{"gone"});
    world.meet(0);
    BOOST_TEST((world.hellos.back() == HelloRequest{"tea", {7}, {1}, {3}}));
}

BOOST_AUTO_TEST_CASE(who_begins_anew_names_no_birth) {
    World world{1, KeptOutbox{{9}, {9}, {}, {3}}};
    world.tick();
    world.step(Connected{});
    world.reject(0, RejectCode::session_retired);
    BOOST_TEST((world.hellos.back() == HelloRequest{"tea", {8}, {0}}));
    world.birth = {12};
    world.welcome(0);
    world.push("a");
    BOOST_TEST((world.births == std::vector<Round>{{12}}));
    world.step(Disconnected{"gone"});
    world.tick(std::chrono::seconds{1});
    world.step(Connected{});
    BOOST_TEST((world.hellos.back() == HelloRequest{"tea", {8}, {1}, {12}}));
}

// A node of an older program reads no birth and calls the hello malformed. Another one may be newer.
BOOST_AUTO_TEST_CASE(a_node_that_cannot_read_a_birth_is_left) {
    World world;
    world.begin();
    world.push("a");
    world.step(Disconnected{"gone"});
    world.step(Connected{});
    world.reject(0, RejectCode::malformed);
    BOOST_TEST(world.ended.empty());
    world.meet(0);
    world.ack(1);
    BOOST_TEST(is_durable(world, 1));
    for (int turn = 0; turn < 40 && world.ended.empty(); ++turn) {
        world.step(Disconnected{"gone"});
        world.tick(std::chrono::seconds{1});
        world.step(Connected{});
        world.reject(0, RejectCode::malformed);
    }
    BOOST_REQUIRE_EQUAL(world.ended.size(), 1U);
    BOOST_TEST(world.ended.front().starts_with("malformed: "));
}

BOOST_AUTO_TEST_CASE(a_node_that_tells_no_birth_is_told_none) {
    World world;
    world.birth = {};
    world.begin();
    world.push("a");
    world.step(Disconnected{"gone"});
    world.meet(0);
    BOOST_TEST((world.hellos.back() == HelloRequest{"tea", {7}, {1}}));
    BOOST_TEST(world.births.empty());
}

BOOST_AUTO_TEST_SUITE_END()

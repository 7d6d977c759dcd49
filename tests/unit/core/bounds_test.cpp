// However many clients come, go and misbehave over time: what a node keeps of them is bounded, and who is forgotten is
// told so.
#include <algorithm>

#include "tests/unit/core/desk.hpp"

using namespace anel;
using namespace anel::testing;

namespace {

constexpr std::size_t few_sessions = 3;

/// Few sessions, idle after a second.
NodeConfig crowded() {
    auto config = one_of_three();
    config.sessions = few_sessions;
    config.session_idle_us = 1'000'000;
    return config;
}

struct Crowd : Desk {
    Crowd() : Desk{crowded()} {
        for (const char* id : {"a", "b", "c"}) {
            greet(id, id, 7);
            tick(std::chrono::milliseconds{100});
        }
    }
    void let_idle() { tick(std::chrono::seconds{2}); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(bounds)

BOOST_FIXTURE_TEST_CASE(who_retired_is_told_so_and_nothing_of_it_is_taken, Crowd) {
    let_idle();
    greet("d", "d", 7);  // the idlest, "a", made place
    BOOST_TEST(birth("a") == 0U);
    BOOST_TEST(context.sessions.size() == few_sessions);
    arrive("a", push("a", 7, 1, {"too late"}));
    BOOST_TEST((only<Reject>().code == RejectCode::session_retired));
    BOOST_TEST(!clients.has_work());
    run();
    BOOST_TEST(silent());
    // It must say hello before it may push again, and as one that has sent it may not.
    arrive("a", push("a", 7, 1, {"too late"}));
    BOOST_TEST((only<Reject>().code == RejectCode::hello_first));
    arrive("a", hello("a", 7, 1));
    run();
    BOOST_TEST((only<Reject>().code == RejectCode::session_retired));
    BOOST_TEST(output.empty());
}

BOOST_FIXTURE_TEST_CASE(a_batch_that_waits_while_its_session_retires_is_refused_and_not_written, Crowd) {
    let_idle();
    arrive("a", push("a", 7, 1, {"taken and lost"}));
    BOOST_TEST(silent());
    // Another node's client takes the place before this node's bid comes into a round.
    decide({bid_of(1, {{0, hello("d", 9)}})});
    BOOST_TEST(birth("a") == 0U);
    run();
    BOOST_TEST((only<Reject>().code == RejectCode::session_retired));
    BOOST_TEST(output.empty());
}

BOOST_FIXTURE_TEST_CASE(where_none_is_idle_a_hello_is_refused_until_one_says_bye, Crowd) {
    arrive("d", hello("d", 7));
    run();
    BOOST_TEST((only<Reject>().code == RejectCode::too_many_sessions));
    BOOST_TEST(birth("d") == 0U);
    arrive("d", push("d", 7, 1, {"not welcomed"}));
    BOOST_TEST((only<Reject>().code == RejectCode::hello_first));
    arrive("b", bye("b", 7));
    run();
    BOOST_TEST(said_of<Byed>().size() == 1U);
    greet("d", "d", 7);
    BOOST_TEST(context.sessions.size() == few_sessions);
}

BOOST_FIXTURE_TEST_CASE(a_retired_client_that_starts_anew_is_another_life_and_its_old_batches_are_none_of_it, Crowd) {
    arrive("a", push("a", 7, 1, {"first life"}));
    run();
    BOOST_TEST(said_of<Ack>().size() == 1U);
    let_idle();
    for (const char* id : {"d", "e", "f"}) greet(id, id, 7);
    BOOST_TEST(birth("a") == 0U);
    let_idle();
    greet("a", "a", 8);
    arrive("a", push("a", 8, 1, {"second life"}));
    run();
    BOOST_TEST(only<Ack>().last.value == 1U);
    arrive("a", push("a", 7, 2, {"from the grave"}));
    BOOST_TEST((only<Reject>().code == RejectCode::conflict));
    BOOST_TEST(output.find("grave") == std::string::npos);
}

// Half of them say bye, the others vanish; each pushes once.
BOOST_AUTO_TEST_CASE(a_million_client_ids_over_time_leave_bounded_counts) {
    constexpr std::size_t ids = 1'000'000;
    constexpr std::size_t at_once = 500;
    auto config = one_of_three();
    config.clients = 1200;
    config.sessions = 2000;
    config.session_idle_us = 1'000'000;
    Desk desk{config};
    std::size_t most_known = 0;
    std::size_t most_sessions = 0;
    std::size_t welcomed = 0;
    std::size_t acked = 0;
    std::size_t byed = 0;
    const auto turn = [&] {
        desk.run();
        for (const auto& said : desk.said()) {
            welcomed += std::holds_alternative<Welcome>(said.reply) ? 1 : 0;
            acked += std::holds_alternative<Ack>(said.reply) ? 1 : 0;
            byed += std::holds_alternative<Byed>(said.reply) ? 1 : 0;
        }
        desk.context.actions.clear();
        desk.read = 0;
        desk.output.clear();
        most_known = std::max(most_known, desk.clients.known());
        most_sessions = std::max(most_sessions, desk.context.sessions.size());
    };
    for (std::size_t first = 0; first < ids; first += at_once) {
        const auto each = [&](auto&& say) {
            for (std::size_t id = first; id < first + at_once; ++id) say(std::to_string(id), id);
            turn();
        };
        const auto send = [&](const std::string& id, const Blob& frame) {
            desk.clients.arrived(Desk::line(id), frame);
        };
        each([&](const std::string& id, std::size_t) { send(id, hello(id, 7)); });
        each([&](const std::string& id, std::size_t) { send(id, push(id, 7, 1, {"x"})); });
        each([&](const std::string& id, std::size_t number) {
            if (number % 2 == 0) send(id, bye(id, 7));
        });
        desk.tick(std::chrono::seconds{1});
    }
    BOOST_TEST(welcomed == ids);
    BOOST_TEST(acked == ids);
    BOOST_TEST(byed == ids / 2);
    BOOST_TEST(most_known <= config.clients);
    BOOST_TEST(most_sessions <= config.sessions);
    BOOST_TEST(most_sessions > config.sessions / 2);  // the limit was in the way of somebody
    BOOST_TEST(desk.clients.pending_bytes() == 0U);
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_CASE(endless_instances_of_one_client_id_leave_one_session_and_bounded_counts) {
    auto config = one_of_three();
    config.clients = 50;
    Desk desk{config};
    for (std::uint64_t instance = 1; instance <= 5000; ++instance) {
        desk.arrive("c" + std::to_string(instance), hello("id", instance));
        if (instance % 10 == 0) desk.run();
        BOOST_REQUIRE(desk.clients.known() <= config.clients);
    }
    desk.run();
    BOOST_TEST(desk.context.sessions.size() == 1U);
    BOOST_TEST(desk.clients.idle());
}

BOOST_AUTO_TEST_CASE(whoever_never_minds_busy_costs_no_more_than_the_window) {
    auto config = one_of_three();
    config.client_limits = {.message_bytes = 1000, .batch_bytes = 4000, .window_bytes = 8000};
    Desk desk{config};
    desk.greet("c", "greedy", 7);
    for (std::uint64_t message = 1; message <= 10'000; ++message) {
        desk.clients.arrived(Desk::line("c"), push("greedy", 7, message, {std::string(900, 'x')}));
    }
    BOOST_TEST(desk.clients.pending_bytes() < 10'000U);
    BOOST_TEST(desk.said_of<Busy>().size() == 1U);
    desk.run();
    BOOST_TEST(desk.said_of<Ack>().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

// For how long somebody is left out whose links do not stand, and who counts as the cause.
#include <boost/test/unit_test.hpp>

#include "ring/core/exclusions.hpp"

using namespace anel;
using namespace std::chrono_literals;

namespace {

constexpr NodeId self{1};
constexpr NodeId other{2};
constexpr NodeId third{3};
constexpr Duration timeout = 300ms;

struct Left {
    Exclusions out{self};
    Instant now{1s};

    /// Leaves it out once more. @return for how many time-outs it then is.
    std::int64_t again(NodeId node) {
        out.add(node, now, timeout);
        const auto begun = now;
        while (out.has(node, now)) now += timeout;
        return (now - begun) / timeout;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(exclusions)

BOOST_FIXTURE_TEST_CASE(who_fails_again_is_left_out_for_twice_as_long_and_64_time_outs_at_most, Left) {
    for (const std::int64_t times : {1, 2, 4, 8, 16, 32, 64, 64, 64}) BOOST_TEST(again(other) == times);
    BOOST_TEST(again(third) == 1);  // each by itself
}

BOOST_FIXTURE_TEST_CASE(who_is_left_out_is_readmitted_to_the_very_moment, Left) {
    out.add(other, now, timeout);
    BOOST_TEST(out.has(other, now));
    BOOST_TEST(out.has(other, now + timeout - Duration{1}));
    BOOST_TEST(!out.has(other, now + timeout));
    BOOST_TEST(!out.has(third, now));
}

/// Waiting alone mends nothing: only a ring with it shows that its links stand.
BOOST_FIXTURE_TEST_CASE(who_was_in_a_ring_begins_anew_and_who_only_waited_does_not, Left) {
    BOOST_TEST(again(other) == 1);
    now += 3600s;
    BOOST_TEST(again(other) == 2);
    out.was_in_ring(other);
    BOOST_TEST(!out.has(other, now));
    BOOST_TEST(again(other) == 1);
}

BOOST_FIXTURE_TEST_CASE(where_no_majority_is_found_nobody_is_left_out, Left) {
    out.add(other, now, timeout);
    out.add(self, now, timeout);
    out.clear();
    BOOST_TEST(!out.has(other, now));
    BOOST_TEST(!out.keeps_away_until(now));
}

BOOST_FIXTURE_TEST_CASE(who_accuses_two_in_turn_is_the_cause_itself, Left) {
    BOOST_TEST((out.cause_of_dead_link(other) == other));
    BOOST_TEST((out.cause_of_dead_link(other) == other));  // the same one again tells nothing new
    BOOST_TEST((out.cause_of_dead_link(third) == self));
    BOOST_TEST((out.cause_of_dead_link(third) == third));  // said once, it begins anew
    out.own_links_stand();
    BOOST_TEST((out.cause_of_dead_link(other) == other));
}

BOOST_FIXTURE_TEST_CASE(a_node_keeps_away_itself_for_as_long_as_it_would_leave_out_another, Left) {
    BOOST_TEST(!out.keeps_away_until(now));
    BOOST_TEST(!out.keeps_away_from_call(now, timeout));
    out.add(self, now, timeout);
    BOOST_TEST((out.keeps_away_until(now) == now + timeout));
    BOOST_TEST(!out.keeps_away_until(now + timeout));
}

/// Who calls and calls finds no majority: without this one there is none.
BOOST_FIXTURE_TEST_CASE(a_node_that_keeps_away_comes_when_calls_go_on_and_on, Left) {
    for (int time = 0; time < 5; ++time) out.add(self, now, timeout);  // for 16 time-outs
    BOOST_TEST(out.keeps_away_from_call(now, timeout));
    BOOST_TEST(out.keeps_away_from_call(now + timeout, timeout));
    BOOST_TEST(out.keeps_away_from_call(now + timeout * 2 - Duration{1}, timeout));
    BOOST_TEST(!out.keeps_away_from_call(now + timeout * 2, timeout));
    BOOST_TEST(!out.keeps_away_until(now + timeout * 2));
}

BOOST_FIXTURE_TEST_CASE(calls_with_a_pause_between_them_are_each_the_first, Left) {
    for (int time = 0; time < 5; ++time) out.add(self, now, timeout);
    for (int call = 0; call < 4; ++call) {
        BOOST_TEST(out.keeps_away_from_call(now, timeout));
        now += timeout + Duration{1};
    }
}

BOOST_AUTO_TEST_SUITE_END()

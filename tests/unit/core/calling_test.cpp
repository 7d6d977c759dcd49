// Who calls for a new epoch, and when: in turn, so that as a rule one calls and the others answer.
#include <boost/test/data/test_case.hpp>

#include "tests/unit/core/small_ring.hpp"

using namespace anel;
using namespace anel::testing;
using namespace std::chrono_literals;

namespace {

const Duration stagger = NodeConfig{}.timing.call_stagger;
constexpr Duration moment{1};

}  // namespace

BOOST_AUTO_TEST_SUITE(calling)

BOOST_DATA_TEST_CASE(of_candidates_that_know_nothing_of_each_other_the_kth_waits_k_times,
                     boost::unit_test::data::xrange(std::uint64_t{5}), candidate) {
    SmallRing ring{5};
    ring.boot(candidate);
    if (candidate > 0) {
        ring.run(stagger * candidate - moment);
        BOOST_TEST((ring.status(candidate).phase == Phase::seeking));
        ring.run(moment);
    } else {
        ring.step({0}, Ticked{});
    }
    BOOST_TEST((ring.status(candidate).phase == Phase::calling));
}

/// A dead node is no reason to wait: who comes behind it moves up.
BOOST_AUTO_TEST_CASE(who_is_known_to_be_gone_has_no_turn) {
    SmallRing ring{5};
    ring.boot_all();
    ring.run(2s);
    BOOST_REQUIRE_EQUAL(ring.running(), 5U);
    for (const std::uint64_t id : {1, 2, 3, 4}) ring.cut.insert({id});  // each hears of the death by its own link alone
    ring.kill(0);
    ring.deliver();
    BOOST_REQUIRE((ring.status(1).phase == Phase::seeking));
    ring.step({1}, Ticked{});
    BOOST_TEST((ring.status(1).phase == Phase::calling));
}

BOOST_AUTO_TEST_SUITE_END()

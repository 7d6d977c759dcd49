// Random faults against a small ring; the seed is printed with each failure.
#include <random>

#include "tests/unit/client/world.hpp"

using namespace anel;
using namespace anel::client;
using namespace std::chrono_literals;

namespace {

/// A ring in a few lines: it takes batches in order, loses connections, and answers now and then.
struct FakeRing {
    std::vector<std::string> written;
    std::size_t taken = 0;  ///< pushes of the world that were looked at
    bool deaf = false;      ///< after a refusal, until the expected sequence comes
};

void run_ring(World& world, FakeRing& ring, std::mt19937_64& random) {
    const auto dice = [&](unsigned sides) { return random() % sides == 0; };
    if (world.session.state() == LinkState::waiting) world.tick(200ms);
    if (world.session.state() == LinkState::connecting) {
        ring.taken = world.pushes.size();
        ring.deaf = false;
        if (dice(4)) return world.step(Disconnected{"refused"});
        world.step(Connected{});
    }
    if (world.session.state() == LinkState::greeting) {
        ring.deaf = false;
        ring.taken = world.pushes.size();
        if (dice(5)) return world.reject(0, RejectCode::no_quorum);
        return world.welcome(ring.written.size());
    }
    while (ring.taken < world.pushes.size()) {
        const auto push = world.pushes[ring.taken++];
        const auto first = push.first.value;
        if (first > ring.written.size() + 1 || (ring.deaf && first != ring.written.size() + 1)) continue;
        if (dice(6)) {
            ring.deaf = true;
            world.busy(first, 10);
            return;
        }
        ring.deaf = false;
        for (std::size_t index = 0; index < push.payloads.size(); ++index) {
            if (first + index == ring.written.size() + 1) ring.written.push_back(push.payloads[index]);
            BOOST_TEST(ring.written.at(first + index - 1) == push.payloads[index]);
        }
        if (dice(7)) return world.step(Disconnected{"gone"});
        if (dice(2)) world.ack(first + push.payloads.size() - 1);
    }
    world.tick(dice(3) ? Duration{3s} : Duration{20ms});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(session_property)

BOOST_AUTO_TEST_CASE(whatever_happens_each_message_is_written_once_and_in_order) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        BOOST_TEST_INFO_SCOPE("seed " << seed);
        std::mt19937_64 random{seed};
        World world;
        FakeRing ring;
        std::vector<std::string> pushed;
        world.tick();
        for (int turn = 0; turn < 5000 && world.outcomes.size() < 200; ++turn) {
            while (pushed.size() < 200 && random() % 3 != 0) {
                const auto text = "m" + std::to_string(pushed.size() + 1);
                if (!world.session.push(1, text)) break;
                pushed.push_back(text);
            }
            if (world.session.wants_step()) world.tick();
            run_ring(world, ring, random);
        }
        BOOST_REQUIRE_EQUAL(world.outcomes.size(), 200U);
        BOOST_TEST(is_durable(world, 200));
        BOOST_TEST((ring.written == pushed));
    }
}

BOOST_AUTO_TEST_SUITE_END()

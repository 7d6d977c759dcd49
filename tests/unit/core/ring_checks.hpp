// What the tests of whole rings look for again and again.
#pragma once

#include "tests/unit/core/desk.hpp"
#include "tests/unit/core/small_ring.hpp"

namespace anel::testing {

/// All nodes that run are in one epoch, with one table.
inline void check_one_ring(const SmallRing& ring, std::size_t members) {
    BOOST_TEST(ring.running() == members);
    std::optional<NodeStatus> first;
    for (const auto& [id, host] : ring.hosts) {
        if (!host.node || host.stopped) continue;
        const auto status = host.node->status();
        BOOST_REQUIRE(status.view.has_value());
        BOOST_TEST(status.view->members.size() == members);
        if (first) {
            BOOST_TEST((status.view == first->view));
            BOOST_TEST((status.tip.round == first->tip.round));
            BOOST_TEST(status.sessions == first->sessions);
        }
        first = status;
    }
    BOOST_TEST(!ring.outcome_not_last, "an action with an outcome is the last of its step");
}

/// How often a message with this payload stands in the output.
inline std::size_t times(const SmallRing& ring, const std::string& payload) {
    const auto wanted = "Mensagem: " + payload + "\n";
    std::size_t found = 0;
    for (auto at = ring.ledger.output.find(wanted); at != std::string::npos;
         at = ring.ledger.output.find(wanted, at + 1))
        ++found;
    return found;
}

/// What a ring at rest takes for a greeting, or for a message and its ack.
constexpr Duration served_within = std::chrono::milliseconds{500};

/// A client at every node that runs greets, pushes and is acked.
inline void check_service(SmallRing& ring, const std::string& prefix) {
    for (auto& [id, host] : ring.hosts) {
        if (host.node && !host.stopped) ring.say(id.value, prefix, hello(prefix + std::to_string(id.value), 7));
    }
    ring.run(served_within);
    for (auto& [id, host] : ring.hosts) {
        if (!host.node || host.stopped) continue;
        BOOST_REQUIRE_EQUAL(ring.told<Welcome>(id.value, prefix).size(), 1U);
        ring.say(id.value, prefix,
                 push(prefix + std::to_string(id.value), 7, 1, {prefix + " of " + std::to_string(id.value)}));
    }
    ring.run(served_within);
    for (auto& [id, host] : ring.hosts) {
        if (!host.node || host.stopped) continue;
        const auto acks = ring.told<Ack>(id.value, prefix);
        BOOST_REQUIRE_EQUAL(acks.size(), 1U);
        BOOST_TEST(acks.front().last.value == 1U);
        BOOST_TEST(times(ring, prefix + " of " + std::to_string(id.value)) == 1U);
    }
}

}  // namespace anel::testing

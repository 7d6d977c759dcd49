#define BOOST_TEST_DYN_LINK
#include <boost/test/unit_test.hpp>
#include <thread>

#include "ring/ops/feed.hpp"

using anel::Feed;

BOOST_AUTO_TEST_SUITE(feed)

BOOST_AUTO_TEST_CASE(no_more_viewers_than_allowed_until_one_leaves) {
    Feed feed{2};
    auto one = feed.join();
    const auto two = feed.join();
    BOOST_TEST((one && two));
    BOOST_TEST(!feed.join());
    one.reset();
    BOOST_TEST(feed.viewers() == 1U);
    BOOST_TEST((feed.join() != nullptr));
}

BOOST_AUTO_TEST_CASE(a_viewer_hears_the_past_and_then_what_comes_but_no_picture_from_before) {
    Feed feed{1};
    feed.publish("{old}", "1");
    feed.publish("{older}", "2");
    const auto viewer = feed.join();
    BOOST_TEST(*viewer->next() == "retry: 1000\nevent: past\ndata: [1,2]\n\n");
    feed.publish("{a}", "3");
    feed.publish("{b}", "4");
    BOOST_TEST(*viewer->next() == "event: picture\ndata: {b}\n\n");
}

BOOST_AUTO_TEST_CASE(the_publisher_sleeps_while_nobody_looks_and_all_end_when_it_is_closed) {
    Feed feed{1};
    std::thread publisher{[&] {
        while (feed.wait_for_viewer()) {
            while (feed.wait_for_turn(std::chrono::hours{1})) feed.publish("{}", "0");
        }
    }};
    auto viewer = feed.join();
    BOOST_TEST(viewer->next().has_value());
    std::thread closer{[&] { feed.close(); }};
    BOOST_TEST(!viewer->next().has_value());
    closer.join();
    publisher.join();
    viewer.reset();
    BOOST_TEST(feed.viewers() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

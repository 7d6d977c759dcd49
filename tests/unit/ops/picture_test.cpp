#define BOOST_TEST_DYN_LINK
#include <boost/test/unit_test.hpp>

#include "ring/daemon/ring_picture.hpp"
#include "ring/ops/histogram.hpp"

using namespace anel;
using Json = nlohmann::json;

namespace {

Json document(std::uint64_t id) {
    return {
        {"status", {{"node", id}, {"incarnation", "a"}, {"sequence", 0}, {"pending_messages", 0}, {"members", {0, 1}}}},
        {"token", {{"epoch", 1}, {"hop", 0}, {"open", nullptr}}},
        {"views", Json::array()},
        {"acks", 0},
        {"rejects", 0},
        {"busys", 0},
        {"ack_us", Json::array()},
        {"lap_us", Json::array()},
        {"fsync_us", Json::array()}};
}

struct Drawing {
    RingPicture picture{NodeId{0}, {NodeId{0}, NodeId{1}}};
    Json zero = document(0);
    Json one = document(1);
    std::int64_t seconds = 0;

    Json draw() { return draw({{NodeId{0}, zero.dump()}, {NodeId{1}, one.dump()}}); }
    Json draw(const std::map<NodeId, std::string>& documents) {
        ++seconds;
        const Moment now{Instant{std::chrono::seconds{seconds}}, seconds * 1'000'000};
        return Json::parse(picture.draw(documents, {}, now).picture);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ring_picture, Drawing)

BOOST_AUTO_TEST_CASE(a_node_that_says_nothing_or_nonsense_is_shown_as_silent) {
    const auto drawn = draw({{NodeId{0}, zero.dump()}, {NodeId{1}, R"({"status": 7})"}});
    BOOST_TEST(drawn["nodes"].size() == 2U);
    BOOST_TEST(drawn["nodes"][0]["answers"] == true);
    BOOST_TEST(drawn["nodes"][1]["answers"] == false);
    BOOST_TEST(draw({})["nodes"][0]["answers"] == false);
}

BOOST_AUTO_TEST_CASE(rates_are_of_the_time_between_two_pictures_and_do_not_go_back) {
    zero["status"]["sequence"] = 100;
    zero["token"]["hop"] = 40;
    BOOST_TEST(!draw()["point"].contains("messages"));
    zero["status"]["sequence"] = 160;
    one["token"]["hop"] = 50;
    auto point = draw()["point"];
    BOOST_TEST(point["messages"] == 60.0);
    BOOST_TEST(point["hops"] == 10.0);
    // The only node that knew of the last messages is gone.
    point = draw({{NodeId{1}, one.dump()}})["point"];
    BOOST_TEST(point["messages"] == 0.0);
}

BOOST_AUTO_TEST_CASE(quantiles_are_of_what_came_since_over_all_nodes) {
    zero["ack_us"] = Json{{40, 1000}};
    draw();
    const auto bucket = Histogram::bucket_of(2000);
    zero["ack_us"].push_back({bucket, 10});
    one["ack_us"] = Json{{bucket, 90}};
    const double p50 = draw()["point"]["ack_p50"];
    BOOST_TEST(p50 >= static_cast<double>(Histogram::least_of(bucket)) / 1000);
    BOOST_TEST(p50 <= static_cast<double>(Histogram::least_of(bucket + 1)) / 1000);
    BOOST_TEST(draw()["point"]["ack_p50"].is_null());
}

BOOST_AUTO_TEST_CASE(a_new_life_of_a_node_does_not_count_as_growth) {
    draw();
    one["status"]["incarnation"] = "b";
    one["ack_us"] = Json{{40, 7}};
    BOOST_TEST(draw()["point"]["ack_p50"].is_null());
}

BOOST_AUTO_TEST_CASE(views_are_gathered_and_the_first_to_notice_tells_why) {
    const auto view = [](std::uint64_t epoch, std::int64_t wall, const char* why) {
        return Json{{"epoch", epoch}, {"coordinator", 0}, {"members", {0, 1}}, {"why", why}, {"wall_ms", wall}};
    };
    zero["views"] = Json{view(4, 20, "heard"), view(5, 30, "saw")};
    one["views"] = Json{view(4, 10, "saw"), view(5, 31, "heard")};
    const auto views = draw()["views"];
    BOOST_REQUIRE(views.size() == 2U);
    BOOST_TEST(views[0]["why"] == "saw");
    BOOST_TEST(views[1]["why"] == "saw");
}

BOOST_AUTO_TEST_CASE(the_newest_token_is_shown) {
    zero["token"] = {{"epoch", 2}, {"hop", 3}, {"open", nullptr}};
    one["token"] = {{"epoch", 1}, {"hop", 900}, {"open", nullptr}};
    BOOST_TEST(draw()["token"]["hop"] == 3);
}

BOOST_AUTO_TEST_SUITE_END()

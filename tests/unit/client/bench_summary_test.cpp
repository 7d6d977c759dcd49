#include <boost/test/unit_test.hpp>

#include "client/command/bench/summary.hpp"

namespace anel::command::bench {
namespace {

using nlohmann::json;

BOOST_AUTO_TEST_SUITE(bench_summary)

BOOST_AUTO_TEST_CASE(each_figure_has_its_own_median_at_every_depth) {
    const std::vector<json> runs{{{"rate", 10}, {"latency", {{"p50_us", 7}}}, {"verified", true}},
                                 {{"rate", 30}, {"latency", {{"p50_us", 5}}}, {"verified", true}},
                                 {{"rate", 20}, {"latency", {{"p50_us", 6}}}, {"verified", true}}};
    const json expected{{"rate", 20}, {"latency", {{"p50_us", 6}}}, {"verified", true}};
    BOOST_TEST(median_of(runs) == expected);
}

BOOST_AUTO_TEST_CASE(several_runs_show_the_lowest_and_the_highest) {
    BOOST_TEST(text_of({{{"rate", 20}}}).find(" (") == std::string::npos);
    BOOST_TEST(text_of({{{"rate", 30}}, {{"rate", 10}}, {{"rate", 20}}}).find("20 (10 to 30)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_distribution_is_drawn_with_its_peak_as_the_longest_bar) {
    // Nine in ten between 100 and 110 us, the rest spread up to 1,000.
    const json latency{{"p50_us", 105}, {"distribution", {{0.0, 100}, {0.9, 110}, {1.0, 1000}}}};
    const auto text = text_of({{{"latency", latency}}});
    const auto peak = text.find("100 us");
    BOOST_REQUIRE(peak != std::string::npos);
    const auto first_row = text.substr(peak, text.find('\n', peak) - peak);
    BOOST_TEST(first_row.ends_with(bar(1, 50)));
    BOOST_TEST(text.substr(peak + first_row.size()).find(bar(0.5, 50)) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(equal_latencies_are_drawn_as_one_bar) {
    const json latency{{"distribution", {{0.5, 100}, {1.0, 100}}}};
    BOOST_TEST(text_of({{{"latency", latency}}}).find(bar(1, 50)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_bar_is_never_longer_than_its_place) {
    BOOST_TEST(bar(2, 4) == bar(1, 4));
    BOOST_TEST(bar(0, 4).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace anel::command::bench

#define BOOST_TEST_DYN_LINK
#include <boost/test/unit_test.hpp>

#include "ring/ops/histogram.hpp"

using anel::Histogram;

BOOST_AUTO_TEST_SUITE(histogram)

BOOST_AUTO_TEST_CASE(buckets_follow_each_other_without_gap_and_know_their_least_value) {
    for (std::size_t bucket = 1; bucket < Histogram::bucket_count; ++bucket) {
        const auto least = Histogram::least_of(bucket);
        BOOST_TEST(Histogram::bucket_of(least) == bucket);
        BOOST_TEST(Histogram::bucket_of(least - 1) == bucket - 1);
    }
    BOOST_TEST(Histogram::bucket_of(0) == 0U);
    BOOST_TEST(Histogram::bucket_of(UINT64_MAX) == Histogram::bucket_count - 1);
}

BOOST_AUTO_TEST_CASE(a_bucket_is_at_most_a_quarter_wider_than_its_least_value) {
    for (std::size_t bucket = 8; bucket + 1 < Histogram::bucket_count; ++bucket) {
        const auto least = Histogram::least_of(bucket);
        BOOST_TEST(Histogram::least_of(bucket + 1) - least <= least / 4);
    }
}

BOOST_AUTO_TEST_CASE(what_is_below_a_power_of_two_is_counted_exactly) {
    Histogram seen;
    std::uint64_t sum = 0;
    for (std::uint64_t value = 0; value < 5000; ++value) {
        seen.observe(value);
        sum += value;
    }
    for (unsigned power = 2; power <= 12; ++power) BOOST_TEST(seen.below_power(power) == std::uint64_t{1} << power);
    BOOST_TEST(seen.below_power(26) == 5000U);
    BOOST_TEST(seen.count() == 5000U);
    BOOST_TEST(seen.sum() == sum);
}

BOOST_AUTO_TEST_SUITE_END()

// Random tests that can be repeated: the seed is printed with every failure, ANEL_SEED replays it.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace anel::testing {

/// The seed of this run: ANEL_SEED if it is set, else a new one for every run of the program.
inline std::uint64_t seed() {
    static const std::uint64_t chosen = [] {
        if (const char* given = std::getenv("ANEL_SEED")) return std::uint64_t{std::stoull(given)};
        return std::uint64_t{std::random_device{}()};
    }();
    return chosen;
}

/// Everything random in a test comes from one of these.
class Dice {
public:
    explicit Dice(std::uint64_t from) : random_{from} {}

    /// 0 .. sides - 1.
    std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }
    bool once_in(std::uint64_t times) { return roll(times) == 0; }
    std::uint64_t word() { return random_(); }
    /// Numbers of every magnitude, the borders of the msgpack encodings among them.
    std::uint64_t number() {
        constexpr std::uint64_t borders[]{0,          1,          31,        32,         127,        128,
                                          255,        256,        65'535,    65'536,     0x7fffffff, 0x80000000,
                                          0xffffffff, 1ULL << 32, INT64_MAX, 1ULL << 63, UINT64_MAX};
        if (once_in(2)) return borders[roll(std::size(borders))];
        return random_() >> roll(64);
    }
    std::string bytes(std::size_t length) {
        std::string text(length, '\0');
        for (auto& byte : text) byte = static_cast<char>(roll(256));
        return text;
    }

private:
    std::mt19937_64 random_;
};

}  // namespace anel::testing

/// At the start of a random test: the failing message says how to see it again.
#define ANEL_TELL_SEED() BOOST_TEST_INFO_SCOPE("replay with ANEL_SEED=" << ::anel::testing::seed())

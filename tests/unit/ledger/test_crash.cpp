// A process that dies in front of any system call that changes the volume, or in the middle of a write: whoever
// comes next finds all that was vouched for, once, and goes on.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "ring/ledger/audit.hpp"
#include "tests/unit/ledger/mortal.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {

/// What the process vouched for before it died, in a pipe's buffer.
class Vouched {
public:
    Vouched() { BOOST_REQUIRE(::pipe(ends_.data()) == 0); }
    Vouched(const Vouched&) = delete;
    Vouched& operator=(const Vouched&) = delete;
    ~Vouched() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    void say(std::uint8_t round) const { static_cast<void>(::write(ends_[1], &round, 1) == 1); }
    [[nodiscard]] std::uint64_t last() const {
        ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
        std::uint8_t round = 0;
        while (::read(ends_[0], &round, 1) == 1) {
        }
        return round;
    }

private:
    std::array<int, 2> ends_{};
};

/// Everything a node ever does with a ledger. Returns 0 when it got to the end.
int live(const LedgerOptions& options, const Vouched& vouched) {
    auto opened = FileLedger::open(options);
    if (!opened) {
        return 1;
    }
    auto& ledger = **opened;
    std::uint64_t round = 0;
    SegmentNumber segment;
    const auto add = [&](std::size_t filler) {
        ++round;
        return append(ledger, segment, make_round(round, "a", filler)).has_value();
    };
    const auto vouch = [&] {
        must_sync(ledger, segment, round);
        vouched.say(static_cast<std::uint8_t>(round));
    };
    auto grant = ledger.grant({0});
    if (!grant) {
        return 2;
    }
    segment = grant->segment;
    if (!add(0) || !add(600'000)) {
        return 3;
    }
    vouch();
    auto next = ledger.rotate(segment, {round}, 1);
    if (!next) {
        return 4;
    }
    segment = *next;
    if (!add(600'000)) {
        return 5;
    }
    vouch();
    must_checkpoint(ledger, round);
    grant = ledger.grant({1});
    if (!grant) {
        return 6;
    }
    segment = grant->segment;
    if (!add(0) || !add(0)) {
        return 7;
    }
    vouch();
    must_checkpoint(ledger, round);
    return 0;
}

/// Another node recovers and goes on; all promises are looked at.
void recover(const Folder& folder, std::uint64_t vouched) {
    auto ledger = must_open(options_for(folder, 1));
    auto history = ledger->read({0});
    BOOST_REQUIRE_MESSAGE(history.has_value(), history.error().text);
    const auto tip = history->tip;
    BOOST_TEST(tip.round.value >= vouched);
    const auto grant = must_grant(*ledger, tip.epoch.value);
    BOOST_TEST(ledger->read({0})->tip.round.value == tip.round.value);
    const std::array<std::size_t, 5> fillers{0, 600'000, 600'000, 0, 0};
    std::string expected;
    for (std::uint64_t round = 1; round <= tip.round.value; ++round) {
        expected += text_of(round, "a", fillers[round - 1]);
    }
    const std::uint64_t next = tip.round.value + 1;
    must_append(*ledger, grant.segment, make_round(next, "b"));
    expected += text_of(next, "b");
    BOOST_TEST((folder.output() == expected));
    must_checkpoint(*ledger, next);
    auto report = audit(folder.path());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(!report->difference, *report->difference);
    BOOST_TEST(folder.numbers("checkpoint") == std::vector<std::uint64_t>{next});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(a_crash)

BOOST_AUTO_TEST_CASE(at_every_call_of_a_whole_life_loses_nothing_that_was_vouched_for) {
    for (const Cut cut : {Cut::before, Cut::within_write}) {
        int code = died;
        for (int calls = 0; code != 0; ++calls) {
            BOOST_TEST_CONTEXT("call " << calls << (cut == Cut::before ? ", before" : ", within a write")) {
                const Folder folder;
                const Vouched vouched;
                code = in_process([&] {
                    Mortal files{calls, cut};
                    auto options = options_for(folder);
                    options.files = &files;
                    return live(options, vouched);
                });
                BOOST_REQUIRE((code == 0 || code == died));
                BOOST_REQUIRE(calls < 1000);
                recover(folder, vouched.last());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(at_every_call_of_a_recovery_leaves_it_to_the_next) {
    for (const char other_boot : {'A', 'B'}) {
        int code = died;
        for (int calls = 0; code != 0; ++calls) {
            BOOST_TEST_CONTEXT("boot " << other_boot << ", call " << calls) {
                const Folder folder;
                auto options = options_for(folder);
                options.boot = boot('A');
                {
                    auto ledger = must_open(options);
                    const auto grant = must_grant(*ledger, 0);
                    must_append(*ledger, grant.segment, make_round(1));
                    BOOST_REQUIRE(ledger->write_record(grant.segment, make_round(2)).has_value());
                    BOOST_REQUIRE(ledger->decide(grant.segment, {2}).has_value());
                }
                options.boot = boot(other_boot);
                code = in_process([&] {
                    Mortal files{calls, Cut::within_write};
                    auto mortal = options;
                    mortal.files = &files;
                    auto ledger = FileLedger::open(mortal);
                    return ledger && (*ledger)->grant({1}) ? 0 : 1;
                });
                BOOST_REQUIRE((code == 0 || code == died));
                auto ledger = must_open(options);
                auto history = ledger->read({0});
                BOOST_TEST(history->tip.round.value == 2U);
                const auto grant = must_grant(*ledger, history->tip.epoch.value);
                must_append(*ledger, grant.segment, make_round(3));
                BOOST_TEST(folder.output() == text_of(1) + text_of(2) + text_of(3));
                BOOST_TEST(!audit(folder.path())->difference);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(at_every_fail_point_is_survived) {
    for (const char* point :
         {"record.reserve",         "output.reserve",    "record.write",       "record.written", "decide.before",
          "decide.after",           "output.first_half", "output.middle",      "output.written", "segment.sync",
          "segment.synced",         "grant.before_seal", "grant.sealed",       "grant.durable",  "segment.write",
          "grant.before_link",      "grant.linked",      "rotate.sealed",      "output.sync",    "blocks.write",
          "output.prepared",        "series.write",      "output.before_turn", "output.turned",  "checkpoint.write",
          "checkpoint.before_link", "trim.unlink"}) {
        BOOST_TEST_CONTEXT(point) {
            const Folder folder;
            const Vouched vouched;
            const int code = in_process([&] {
                static_cast<void>(fail_points::arm(std::string{point} + "=exit"));
                return live(options_for(folder), vouched);
            });
            BOOST_TEST(code == died);
            recover(folder, vouched.last());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

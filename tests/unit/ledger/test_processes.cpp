// Several processes on one volume, as several containers are.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>
#include <thread>

#include "ring/ledger/audit.hpp"
#include "ring/ledger/segment.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {

/// Counters that forked processes share.
class Shared {
public:
    Shared()
        : words_{static_cast<std::atomic<std::uint64_t>*>(
              ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))} {}
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { ::munmap(words_, 4096); }
    std::atomic<std::uint64_t>& operator[](std::size_t word) const { return words_[word]; }

private:
    std::atomic<std::uint64_t>* words_;
};

/// All start when the last has come.
void meet(std::atomic<std::uint64_t>& gate, std::uint64_t all) {
    ++gate;
    while (gate < all) {
    }
}

/// Says why a process of ours gives up.
int give_up(int code, const Error& error) {
    std::fprintf(stderr, "process %d gives up: %s\n", code, error.text.c_str());
    return code;
}

/// A node that takes the ledger whenever it can and writes until somebody else takes it.
int struggle(const Folder& folder, std::uint64_t self, const Shared& shared) {
    auto ledger = FileLedger::open(options_for(folder, self));
    if (!ledger) {
        return give_up(1, ledger.error());
    }
    const std::string who = std::to_string(self);
    Round applied;
    while (shared[0] == 0) {
        auto history = (*ledger)->read(applied);
        if (!history) {
            return give_up(2, history.error());
        }
        applied = history->tip.round;
        auto grant = (*ledger)->grant(history->tip.epoch);
        if (!grant) {
            if (grant.error().code != ErrorCode::fenced && grant.error().code != ErrorCode::newer_epoch) {
                return give_up(3, grant.error());
            }
            continue;
        }
        history = (*ledger)->read(applied);
        if (!history) {
            return give_up(4, history.error());
        }
        applied = history->tip.round;
        auto segment = grant->segment;
        for (int turn = 0; turn < 200 && shared[0] == 0; ++turn) {
            if (auto done = append(**ledger, segment, make_round(applied.value + 1, who, applied.value % 5000));
                !done) {
                if (done.error().code != ErrorCode::fenced) {
                    return give_up(5, done.error());
                }
                break;
            }
            applied = applied.next();
            (*ledger)->sync(segment, applied);
            if (turn % 50 == 40) {
                (*ledger)->checkpoint(make_snapshot(applied.value));
                auto next =
                    (*ledger)->rotate(segment, applied, turn % 100 == 40 ? std::optional<WallTime>{1} : std::nullopt);
                if (!next) {
                    if (next.error().code != ErrorCode::fenced) {
                        return give_up(6, next.error());
                    }
                    break;
                }
                segment = *next;
            }
        }
    }
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(processes)

BOOST_AUTO_TEST_CASE(of_candidates_at_once_one_wins) {
    for (int turn = 0; turn < 30; ++turn) {
        const Folder folder;
        const Shared shared;
        std::vector<int> candidates;
        for (std::uint64_t self = 0; self < 3; ++self) {
            candidates.push_back(start_process([&, self] {
                auto ledger = FileLedger::open(options_for(folder, self));
                if (!ledger || !(*ledger)->read({0})) {
                    return 9;
                }
                meet(shared[0], 3);
                auto grant = (*ledger)->grant({turn % 2 == 0 ? 0U : 5U});
                if (grant) {
                    return append(**ledger, grant->segment, make_round(1)) ? 0 : 8;
                }
                return grant.error().code == ErrorCode::fenced || grant.error().code == ErrorCode::newer_epoch ? 1 : 7;
            }));
        }
        int winners = 0;
        for (const int candidate : candidates) {
            const int code = wait_process(candidate);
            BOOST_TEST((code == 0 || code == 1));
            winners += code == 0 ? 1 : 0;
        }
        BOOST_TEST(winners == 1);
        BOOST_TEST(folder.output() == text_of(1));
    }
}

BOOST_AUTO_TEST_CASE(every_slot_of_a_shared_segment_is_decided_once) {
    constexpr std::uint64_t slots = 200'000;
    const Folder folder;
    {
        auto ledger = must_open(options_for(folder));
        static_cast<void>(must_grant(*ledger, 0));
    }
    const Shared shared;
    std::vector<int> deciders;
    for (int number = 0; number < 3; ++number) {
        deciders.push_back(start_process([&] {
            FileSystem files;
            const Descriptor journal{::open((folder.path() / ".anel/journal").c_str(), O_RDONLY | O_DIRECTORY)};
            auto segment = Segment::open(files, journal.get(), {1}, must_open(options_for(folder))->id(), *this_boot(),
                                         Access::write);
            meet(shared[0], 3);
            for (std::uint64_t slot = 0; slot < slots; ++slot) {
                if ((*segment)->try_decide(slot)) {
                    ++shared[1];
                }
            }
            return (*segment)->word() == slots ? 0 : 1;
        }));
    }
    for (const int decider : deciders) {
        BOOST_TEST(wait_process(decider) == 0);
    }
    BOOST_TEST(shared[1] == slots);
}

BOOST_AUTO_TEST_CASE(that_are_killed_and_stopped_at_random_break_no_promise) {
    const std::uint64_t seed =
        std::getenv("ANEL_SEED") != nullptr ? std::stoull(std::getenv("ANEL_SEED")) : std::random_device{}();
    BOOST_TEST_INFO_SCOPE("replay with ANEL_SEED=" << seed);
    std::mt19937_64 random{seed};
    const Folder folder;
    const Shared shared;
    std::array<int, 3> nodes{};
    for (std::uint64_t self = 0; self < nodes.size(); ++self) {
        nodes[self] = start_process([&, self] { return struggle(folder, self, shared); });
    }
    const auto pause = [&](std::uint64_t max_ms) {
        std::this_thread::sleep_for(std::chrono::microseconds{random() % (max_ms * 1000)});
    };
    for (int turn = 0; turn < 150; ++turn) {
        pause(20);
        const std::uint64_t self = random() % nodes.size();
        if (random() % 2 == 0) {
            ::kill(nodes[self], SIGKILL);
            BOOST_TEST(wait_process(nodes[self]) == -SIGKILL);
            nodes[self] = start_process([&, self] { return struggle(folder, self, shared); });
        } else {
            ::kill(nodes[self], SIGSTOP);
            pause(30);
            ::kill(nodes[self], SIGCONT);
        }
        if (turn % 30 == 0) {
            auto report = audit(folder.path());
            if (report) {
                BOOST_TEST(!report->difference, *report->difference);
            }
        }
    }
    shared[0] = 1;
    for (const int node : nodes) {
        BOOST_TEST(wait_process(node) == 0);
    }
    auto ledger = must_open(options_for(folder));
    const auto tip = ledger->read({0})->tip;
    static_cast<void>(must_grant(*ledger, tip.epoch.value));
    auto report = audit(folder.path());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(!report->difference, *report->difference);
    BOOST_TEST(report->last_round.value > 100U);
    // The text is in order, every round once.
    const auto output = folder.output();
    std::size_t at = 0;
    for (std::uint64_t round = 1; round <= report->last_round.value; ++round) {
        const std::string who{output[at + 10]};
        const auto expected = text_of(round, who, (round - 1) % 5000);
        BOOST_REQUIRE((std::string_view{output}.substr(at, expected.size()) == expected));
        at += expected.size();
    }
    BOOST_TEST(at == output.size());
}

BOOST_AUTO_TEST_SUITE_END()

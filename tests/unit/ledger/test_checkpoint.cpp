// Checkpoints: what they keep, what they trim, and what late ones cannot break.
#include <signal.h>
#include <sys/wait.h>
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "ring/ledger/audit.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {

/// `rounds` rounds, a new segment behind each.
SegmentNumber fill(FileLedger& ledger, SegmentNumber segment, std::uint64_t from, std::uint64_t rounds) {
    for (std::uint64_t round = from; round < from + rounds; ++round) {
        must_append(ledger, segment, make_round(round, "a", 200'000));
        auto next = ledger.rotate(segment, {round}, std::nullopt);
        BOOST_REQUIRE(next.has_value());
        segment = *next;
    }
    return segment;
}

void require_clean(const Folder& folder) {
    auto report = audit(folder.path());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(!report->difference, *report->difference);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(a_checkpoint_trims_what_is_wholly_below_it) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    auto segment = must_grant(*ledger, 0).segment;
    segment = fill(*ledger, segment, 1, 8);
    must_append(*ledger, segment, make_round(9));
    must_checkpoint(*ledger, 9);
    BOOST_TEST(folder.numbers("checkpoint") == std::vector<std::uint64_t>{9});
    BOOST_TEST(folder.numbers("journal") == std::vector<std::uint64_t>{9});
    BOOST_TEST(std::filesystem::file_size(folder.path() / ".anel/blocks") == 4U);
    require_clean(folder);
    auto report = audit(folder.path());
    BOOST_TEST(report->exact_from == 8 * text_of(1, "a", 200'000).size());
    BOOST_TEST(report->block_bytes_end == folder.output().size());
    must_append(*ledger, segment, make_round(10));
    must_checkpoint(*ledger, 10);
    BOOST_TEST(folder.numbers("checkpoint") == std::vector<std::uint64_t>{10});
    require_clean(folder);
}

BOOST_AUTO_TEST_CASE(a_restart_from_a_checkpoint_has_the_same_table) {
    const Folder folder;
    Tip tip;
    {
        auto ledger = must_open(options_for(folder));
        auto segment = must_grant(*ledger, 0).segment;
        segment = fill(*ledger, segment, 1, 4);
        must_checkpoint(*ledger, 4);
        must_append(*ledger, segment, make_round(5));
        must_append(*ledger, segment, make_round(6));
        tip = ledger->read({4})->tip;
    }
    auto ledger = must_open(options_for(folder, 1));
    auto history = ledger->read({0});
    BOOST_REQUIRE(history.has_value());
    BOOST_REQUIRE(history->snapshot.has_value());
    BOOST_TEST((*history->snapshot == make_snapshot(4)));
    BOOST_REQUIRE(history->rounds.size() == 2U);
    BOOST_TEST((history->rounds.back().changes == make_round(6).changes));
    BOOST_TEST((history->tip == tip));
    const auto grant = must_grant(*ledger, history->tip.epoch.value);
    must_append(*ledger, grant.segment, make_round(7));
    must_checkpoint(*ledger, 7);
    BOOST_TEST(folder.numbers("checkpoint") == std::vector<std::uint64_t>{7});
    require_clean(folder);
}

BOOST_AUTO_TEST_CASE(a_node_that_slept_through_trimming_gets_the_checkpoint) {
    const Folder folder;
    auto sleeper = must_open(options_for(folder, 0));
    auto ledger = must_open(options_for(folder, 1));
    auto segment = must_grant(*ledger, 0).segment;
    must_append(*ledger, segment, make_round(1));
    BOOST_TEST(sleeper->read({0})->rounds.size() == 1U);
    auto next = ledger->rotate(segment, {1}, std::nullopt);
    segment = fill(*ledger, *next, 2, 3);
    must_checkpoint(*ledger, 4);
    must_append(*ledger, segment, make_round(5));
    auto history = sleeper->read({1});
    BOOST_REQUIRE(history.has_value());
    BOOST_REQUIRE(history->snapshot.has_value());
    BOOST_TEST(history->snapshot->round.value == 4U);
    BOOST_REQUIRE(history->rounds.size() == 1U);
    BOOST_TEST(history->tip.round.value == 5U);
    BOOST_TEST((sleeper->write_record({1}, make_round(2)).error().code == ErrorCode::fenced));
    BOOST_TEST(sleeper->words({1})->sealed);
}

BOOST_AUTO_TEST_CASE(a_late_lower_checkpoint_changes_nothing) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    auto segment = must_grant(*ledger, 0).segment;
    segment = fill(*ledger, segment, 1, 2);
    must_checkpoint(*ledger, 2);
    std::filesystem::copy_file(folder.path() / ".anel/checkpoint/2", folder.path() / "late");
    segment = fill(*ledger, segment, 3, 3);
    must_checkpoint(*ledger, 5);
    std::filesystem::rename(folder.path() / "late", folder.path() / ".anel/checkpoint/2");
    auto other = must_open(options_for(folder, 1));
    BOOST_TEST(other->read({0})->snapshot->round.value == 5U);
    require_clean(folder);
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_passed_over_for_the_one_below) {
    const Folder folder;
    {
        auto ledger = must_open(options_for(folder));
        auto segment = must_grant(*ledger, 0).segment;
        must_append(*ledger, segment, make_round(1));
        must_checkpoint(*ledger, 1);
        std::filesystem::copy_file(folder.path() / ".anel/checkpoint/1", folder.path() / "kept");
        must_append(*ledger, segment, make_round(2));
        must_checkpoint(*ledger, 2);
    }
    std::filesystem::rename(folder.path() / "kept", folder.path() / ".anel/checkpoint/1");
    {
        std::fstream file{folder.path() / ".anel/checkpoint/2"};
        file.seekp(125);
        file.put('\x7f');
    }
    auto ledger = must_open(options_for(folder));
    auto history = ledger->read({0});
    BOOST_REQUIRE(history.has_value());
    BOOST_TEST(history->snapshot->round.value == 1U);
    BOOST_TEST(history->rounds.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_trimmed_number_that_a_sleeper_links_again_is_a_void_grant) {
    const Folder folder;
    const auto first = must_grant(*must_open(options_for(folder, 1)), 0);
    // The sleeper stops in front of its link, while the others go on and trim its number.
    const int sleeper = start_process([&] {
        auto slow = FileLedger::open(options_for(folder, 0));
        if (!slow || !(*slow)->read({0}) || !fail_points::arm("grant.before_link=stop")) {
            return 1;
        }
        auto grant = (*slow)->grant({1});
        return !grant && grant.error().code == ErrorCode::fenced ? 0 : 2;
    });
    int status = 0;
    BOOST_REQUIRE(::waitpid(sleeper, &status, WUNTRACED) == sleeper);
    BOOST_REQUIRE(WIFSTOPPED(status));
    auto ledger = must_open(options_for(folder, 1));
    auto segment = must_grant(*ledger, 1).segment;
    BOOST_TEST(segment.value == first.segment.value + 1);
    segment = fill(*ledger, segment, 1, 3);
    must_checkpoint(*ledger, 3);
    BOOST_TEST(folder.numbers("journal") == std::vector<std::uint64_t>{segment.value});
    ::kill(sleeper, SIGCONT);
    BOOST_TEST(wait_process(sleeper) == 0);
    BOOST_TEST(folder.numbers("journal") == std::vector<std::uint64_t>{segment.value});
    must_append(*ledger, segment, make_round(4));
    require_clean(folder);
}

BOOST_AUTO_TEST_CASE(a_failed_output_sync_links_no_checkpoint) {
    const Folder folder;
    auto options = options_for(folder);
    std::atomic<int> errors{0};
    options.durable = [&](const tl::expected<Round, Error>& round) { errors += round ? 0 : 1; };
    auto ledger = must_open(options);
    auto segment = must_grant(*ledger, 0).segment;
    segment = fill(*ledger, segment, 1, 2);
    {
        const Armed armed{"output.sync=error:EIO"};
        must_checkpoint(*ledger, 2);
    }
    BOOST_TEST(errors == 1);
    BOOST_TEST(folder.numbers("checkpoint").empty());
    BOOST_TEST(folder.numbers("journal").size() == 3U);
    BOOST_TEST((ledger->write_record(segment, make_round(3)).error().code == ErrorCode::sync_failed));
}

/// One of several MiB has to be read for the checksums of the output; that it is in order is known only then.
BOOST_AUTO_TEST_CASE(a_large_record_that_was_edited_is_covered_by_no_checkpoint) {
    const Folder folder;
    auto options = options_for(folder);
    std::optional<Error> error;
    options.durable = [&](const tl::expected<Round, Error>& round) {
        if (!round) error = round.error();
    };
    auto ledger = must_open(options);
    const auto segment = must_grant(*ledger, 0).segment;
    must_append(*ledger, segment, make_round(1, "a", 3'000'000));
    must_append(*ledger, segment, make_round(2));
    std::fstream journal{folder.path() / ".anel" / "journal" / "1"};
    journal.seekp(2'000'000);
    journal << "edited" << std::flush;
    must_checkpoint(*ledger, 2);
    BOOST_REQUIRE(error);
    BOOST_TEST((error->code == ErrorCode::ledger_damaged));
    BOOST_TEST(error->text.find("checksum of its content") != std::string::npos, error->text);
    BOOST_TEST(folder.numbers("checkpoint").empty());
}

/// The checkpoint's thread tells it the node, but the node may decide, rotate or ask for an epoch before it hears.
BOOST_AUTO_TEST_CASE(what_failed_is_told_to_whoever_comes_first) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    auto segment = must_grant(*ledger, 0).segment;
    segment = fill(*ledger, segment, 1, 2);
    {
        const Armed armed{"checkpoint.write=error:EIO"};
        must_checkpoint(*ledger, 2);
    }
    const auto told = [](const auto& refused) {
        BOOST_TEST((refused.error().code == ErrorCode::io_failed));
        BOOST_TEST(refused.error().text == "cannot write a checkpoint: Input/output error");
    };
    told(ledger->write_record(segment, make_round(3)));
    told(ledger->rotate(segment, Round{2}, std::nullopt));
    told(ledger->grant({1}));
}

BOOST_AUTO_TEST_SUITE_END()

// One ledger, used as a node uses it.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

BOOST_AUTO_TEST_SUITE(a_ledger)

BOOST_AUTO_TEST_CASE(a_new_ledger_is_empty) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    auto history = ledger->read({0});
    BOOST_REQUIRE(history.has_value());
    BOOST_TEST(!history->snapshot);
    BOOST_TEST(history->rounds.empty());
    BOOST_TEST((history->tip == Tip{}));
    BOOST_TEST(folder.output().empty());
}

BOOST_AUTO_TEST_CASE(what_was_appended_is_read_back) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    BOOST_TEST(grant.epoch.value == 1U);
    BOOST_TEST(grant.segment.value == 1U);
    for (std::uint64_t round = 1; round <= 3; ++round) {
        must_append(*ledger, grant.segment, make_round(round));
    }
    BOOST_TEST(folder.output() == text_of(1) + text_of(2) + text_of(3));
    auto history = ledger->read({1});
    BOOST_REQUIRE(history.has_value());
    BOOST_REQUIRE(history->rounds.size() == 2U);
    const auto expected = make_round(3);
    const RoundResult result{.segment = {1},
                             .round = {3},
                             .first = {3},
                             .count = 1,
                             .wall_us = expected.wall_us,
                             .output_bytes = expected.text.size(),
                             .changes = expected.changes};
    BOOST_TEST((history->rounds[1] == result));
    BOOST_TEST((history->tip == Tip{{1}, {1}, {3}, {3}, expected.wall_us}));
}

BOOST_AUTO_TEST_CASE(another_node_reads_and_goes_on) {
    const Folder folder;
    auto first = must_open(options_for(folder, 0));
    auto second = must_open(options_for(folder, 1));
    BOOST_TEST(first->id().value == second->id().value);
    const auto grant = must_grant(*first, 0);
    must_append(*first, grant.segment, make_round(1));
    BOOST_REQUIRE(second->read({0})->rounds.size() == 1U);
    must_append(*second, grant.segment, make_round(2, "b"));
    must_append(*first, grant.segment, make_round(3));
    BOOST_TEST(folder.output() == text_of(1) + text_of(2, "b") + text_of(3));
}

BOOST_AUTO_TEST_CASE(a_round_of_session_changes_alone_leaves_the_output_as_it_is) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    RoundRecord hello{.round = {1}, .first = {1}, .count = 0, .wall_us = 5, .text = "", .changes = {}};
    hello.changes = {{.client_id = "gone", .session = std::nullopt, .each = {}},
                     {.client_id = "anon:1:2", .session = Session{}, .each = {{4}, {5}}}};
    must_append(*ledger, grant.segment, hello);
    auto second = make_round(2);
    second.first = {1};
    must_append(*ledger, grant.segment, second);
    auto history = ledger->read({0});
    BOOST_TEST((history->rounds[0].changes == hello.changes));
    BOOST_TEST(history->tip.sequence.value == 1U);
    BOOST_TEST(folder.output() == text_of(2));
}

BOOST_AUTO_TEST_CASE(a_sealed_segment_fences_its_holder) {
    const Folder folder;
    auto stale = must_open(options_for(folder, 0));
    auto candidate = must_open(options_for(folder, 1));
    const auto old = must_grant(*stale, 0);
    must_append(*stale, old.segment, make_round(1));
    const auto record = make_round(2, "stale");
    BOOST_REQUIRE(stale->write_record(old.segment, RoundRecord{record}).has_value());
    const auto grant = must_grant(*candidate, old.epoch.value);
    BOOST_TEST(grant.epoch.value == 2U);
    BOOST_TEST(grant.segment.value == 2U);
    BOOST_TEST((stale->decide(old.segment, {2}).error().code == ErrorCode::fenced));
    BOOST_TEST((stale->write_record(old.segment, RoundRecord{record}).error().code == ErrorCode::fenced));
    must_append(*candidate, grant.segment, make_round(2, "new"));
    BOOST_TEST(folder.output() == text_of(1) + text_of(2, "new"));
    BOOST_TEST(stale->read({1})->rounds.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_taken_slot_fences_who_comes_second) {
    const Folder folder;
    auto first = must_open(options_for(folder, 0));
    auto second = must_open(options_for(folder, 1));
    const auto grant = must_grant(*first, 0);
    BOOST_REQUIRE(second->read({0}).has_value());
    BOOST_REQUIRE(second->write_record(grant.segment, make_round(1)).has_value());
    must_append(*first, grant.segment, make_round(1));
    BOOST_TEST((second->decide(grant.segment, {1}).error().code == ErrorCode::fenced));
    BOOST_TEST((second->write_record(grant.segment, make_round(1)).error().code == ErrorCode::fenced));
}

BOOST_AUTO_TEST_CASE(a_newer_epoch_is_told_and_not_sealed) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    auto other = must_open(options_for(folder, 1));
    const auto grant = must_grant(*ledger, 4);
    BOOST_TEST(grant.epoch.value == 5U);
    BOOST_TEST((other->grant({4}).error().code == ErrorCode::newer_epoch));
    BOOST_TEST(!ledger->words(grant.segment)->sealed);
}

BOOST_AUTO_TEST_CASE(a_candidate_writes_the_round_its_holder_left_unwritten) {
    const Folder folder;
    auto holder = must_open(options_for(folder, 0));
    auto candidate = must_open(options_for(folder, 1));
    const auto grant = must_grant(*holder, 0);
    must_append(*holder, grant.segment, make_round(1));
    BOOST_REQUIRE(holder->write_record(grant.segment, make_round(2)).has_value());
    BOOST_REQUIRE(holder->decide(grant.segment, {2}).has_value());
    static_cast<void>(must_grant(*candidate, 1));
    BOOST_TEST(folder.output() == text_of(1) + text_of(2));
    // The sleeper wakes and writes what stands there already.
    BOOST_REQUIRE(holder->write_output({2}).has_value());
    BOOST_TEST(folder.output() == text_of(1) + text_of(2));
}

BOOST_AUTO_TEST_CASE(rotation_goes_on_in_the_same_epoch) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    auto other = must_open(options_for(folder, 1));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    auto next = ledger->rotate(grant.segment, {1}, std::nullopt);
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->value == 2U);
    must_append(*ledger, *next, make_round(2));
    auto history = other->read({0});
    BOOST_TEST(history->rounds.size() == 2U);
    BOOST_TEST(history->tip.epoch.value == 1U);
    BOOST_TEST(history->tip.segment.value == 2U);
    BOOST_TEST((ledger->rotate(grant.segment, {1}, std::nullopt).error().code == ErrorCode::fenced));
    const auto words = other->words(grant.segment);
    BOOST_TEST(words->sealed);
    BOOST_TEST(words->durable.value == 1U);
}

BOOST_AUTO_TEST_CASE(a_rotation_behind_a_round_that_is_not_the_last_is_fenced) {
    const Folder folder;
    auto slow = must_open(options_for(folder, 0));
    auto other = must_open(options_for(folder, 1));
    const auto grant = must_grant(*slow, 0);
    must_append(*slow, grant.segment, make_round(1));
    BOOST_REQUIRE(other->read({0}).has_value());
    must_append(*other, grant.segment, make_round(2));
    BOOST_TEST((slow->rotate(grant.segment, {1}, std::nullopt).error().code == ErrorCode::fenced));
    BOOST_TEST(!other->words(grant.segment)->sealed);
    must_append(*other, grant.segment, make_round(3));
}

BOOST_AUTO_TEST_CASE(a_decided_round_without_space_in_the_output_is_no_refusal) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    BOOST_REQUIRE(ledger->write_record(grant.segment, make_round(1)).has_value());
    BOOST_REQUIRE(ledger->decide(grant.segment, {1}).has_value());
    const Armed armed{"output.write=error:ENOSPC"};
    BOOST_TEST((ledger->write_output({1}).error().code == ErrorCode::io_failed));
}

BOOST_AUTO_TEST_CASE(a_sync_tells_that_rounds_are_durable) {
    const Folder folder;
    auto options = options_for(folder);
    std::atomic<std::uint64_t> heard{0};
    options.durable = [&](const tl::expected<Round, Error>& round) { heard = round->value; };
    auto ledger = must_open(options);
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    must_append(*ledger, grant.segment, make_round(2));
    ledger->sync(grant.segment, {1});
    while (heard < 2) {
        std::this_thread::yield();
    }
    BOOST_TEST(ledger->words(grant.segment)->durable.value == 2U);
}

BOOST_AUTO_TEST_CASE(a_failed_sync_is_told_once_and_never_tried_again) {
    const Folder folder;
    auto options = options_for(folder);
    std::atomic<int> errors{0};
    std::atomic<int> rounds{0};
    options.durable = [&](const tl::expected<Round, Error>& round) { ++(round ? rounds : errors); };
    auto ledger = must_open(options);
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    {
        const Armed armed{"segment.sync=error:EIO"};
        ledger->sync(grant.segment, {1});
        while (errors == 0) {
            std::this_thread::yield();
        }
    }
    ledger->sync(grant.segment, {1});
    BOOST_TEST((ledger->write_record(grant.segment, make_round(2)).error().code == ErrorCode::sync_failed));
    BOOST_TEST((ledger->grant({1}).error().code == ErrorCode::sync_failed));
    BOOST_TEST(ledger->words(grant.segment)->durable.value == 0U);
    ledger.reset();
    BOOST_TEST(errors == 1);
    BOOST_TEST(rounds == 0);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_and_decides_nothing) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    for (const char* point : {"record.reserve=error:ENOSPC", "output.reserve=error:EDQUOT"}) {
        const Armed armed{point};
        const auto large = make_round(2, "a", 9'000'000);
        BOOST_TEST((ledger->write_record(grant.segment, RoundRecord{large}).error().code == ErrorCode::disk_full));
    }
    BOOST_TEST(ledger->words(grant.segment)->decided.value == 1U);
    must_append(*ledger, grant.segment, make_round(2));
    BOOST_TEST(folder.output() == text_of(1) + text_of(2));
}

BOOST_AUTO_TEST_CASE(a_full_disk_seals_nothing) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    const Armed armed{"segment.reserve=error:ENOSPC"};
    BOOST_TEST((ledger->rotate(grant.segment, {0}, std::nullopt).error().code == ErrorCode::disk_full));
    BOOST_TEST((ledger->grant({1}).error().code == ErrorCode::disk_full));
    BOOST_TEST(!ledger->words(grant.segment)->sealed);
}

BOOST_AUTO_TEST_CASE(short_writes_are_continued) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const Armed armed{"record.write=short,output.first_half=short,output.middle=short,segment.write=short"};
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    must_append(*ledger, grant.segment, make_round(2, "a", 100'000));
    BOOST_TEST(folder.output() == text_of(1) + text_of(2, "a", 100'000));
    BOOST_TEST(ledger->read({0})->rounds.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_damaged_record_stops_the_ring) {
    for (const int where : {8192 + 4, 8192 + 40, 8192 + 100, 8192 + 200}) {
        const Folder folder;
        auto ledger = must_open(options_for(folder));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_append(*ledger, grant.segment, make_round(2));
        {
            std::fstream file{folder.path() / ".anel/journal/1"};
            file.seekp(where);
            file.put('\x7f');
        }
        BOOST_TEST((ledger->read({0}).error().code == ErrorCode::ledger_damaged));
        auto other = FileLedger::open(options_for(folder, 1));
        if (other) {
            BOOST_TEST(((*other)->read({0}).error().code == ErrorCode::ledger_damaged));
        } else {
            BOOST_TEST((other.error().code == ErrorCode::ledger_damaged));
        }
    }
}

BOOST_AUTO_TEST_CASE(hands_from_outside_are_noticed_before_the_next_decide) {
    for (const char* name : {"output.txt", ".anel/journal/1"}) {
        const Folder folder;
        auto ledger = must_open(options_for(folder));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        std::filesystem::remove(folder.path() / name);
        BOOST_TEST((ledger->write_record(grant.segment, make_round(2)).error().code == ErrorCode::outside_hands));
    }
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    std::filesystem::resize_file(folder.path() / "output.txt", 3);
    BOOST_TEST((ledger->write_record(grant.segment, make_round(2)).error().code == ErrorCode::outside_hands));
}

BOOST_AUTO_TEST_CASE(call_words_are_seen_by_all_who_share_the_volume) {
    const Folder folder;
    auto first = must_open(options_for(folder, 0));
    auto second = must_open(options_for(folder, 1));
    first->set_call_word({63}, {42});
    BOOST_TEST(second->call_word({63}).value == 42U);
    BOOST_TEST(second->call_word({0}).value == 0U);
}

BOOST_AUTO_TEST_CASE(a_ledger_goes_on_after_all_nodes_restarted) {
    const Folder folder;
    std::uint64_t id = 0;
    for (std::uint64_t life = 0; life < 5; ++life) {
        auto ledger = must_open(options_for(folder, life % 3));
        id = id == 0 ? ledger->id().value : id;
        BOOST_TEST(ledger->id().value == id);
        const auto history = ledger->read({0});
        BOOST_TEST(history->tip.round.value == life);
        const auto grant = must_grant(*ledger, history->tip.epoch.value);
        must_append(*ledger, grant.segment, make_round(life + 1));
        must_sync(*ledger, grant.segment, life + 1);
    }
    BOOST_TEST(folder.output() == text_of(1) + text_of(2) + text_of(3) + text_of(4) + text_of(5));
}

BOOST_AUTO_TEST_SUITE_END()

// A folder that outside hands have changed is put in order, or accepted as it is, and the ring goes on.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "ring/ledger/audit.hpp"
#include "ring/ledger/backup.hpp"
#include "ring/ledger/life_sign.hpp"
#include "ring/ledger/repair.hpp"
#include "tests/unit/ledger/mortal.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t large = 600'000;

/// Rounds 1 to 4, each in a segment of its own; the journal below round 3 is trimmed.
void make_long_ledger(const Folder& folder) {
    auto ledger = must_open(options_for(folder));
    auto segment = must_grant(*ledger, 0).segment;
    for (std::uint64_t round = 1; round <= 4; ++round) {
        must_append(*ledger, segment, make_round(round, "a", large));
        must_sync(*ledger, segment, round);
        if (round == 3) {
            must_checkpoint(*ledger, 3);
        }
        segment = *ledger->rotate(segment, {round}, std::nullopt);
    }
}
std::string long_output() {
    std::string text;
    for (std::uint64_t round = 1; round <= 4; ++round) {
        text += text_of(round, "a", large);
    }
    return text;
}
const std::uint64_t third = 3 * text_of(1, "a", large).size();  ///< where round 4 begins

RepairOptions options_of(const Folder& folder, RepairMode mode) {
    RepairOptions options;
    options.folder = folder.path();
    options.mode = mode;
    return options;
}
RepairReport must_repair(const Folder& folder, RepairMode mode = RepairMode::rewrite) {
    auto report = repair(options_of(folder, mode));
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    return *report;
}
AuditReport must_be_clean(const Folder& folder) {
    auto report = audit(folder.path());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(!report->difference, *report->difference);
    return *report;
}
/// A new epoch writes one more round behind what there is.
void go_on(const Folder& folder, std::uint64_t round, const std::string& before, std::optional<BootId> boot_id = {}) {
    auto options = options_for(folder, 1);
    options.boot = boot_id;
    auto ledger = must_open(options);
    const auto tip = ledger->read({0})->tip;
    BOOST_REQUIRE(tip.round.value == round - 1);
    BOOST_REQUIRE(tip.sequence.value == round - 1);
    const auto grant = must_grant(*ledger, tip.epoch.value);
    must_append(*ledger, grant.segment, make_round(round, "b"));
    BOOST_TEST((folder.output() == before + text_of(round, "b")));
    must_be_clean(folder);
    must_checkpoint(*ledger, round);
    must_be_clean(folder);
}
void put(const Folder& folder, std::uint64_t offset, std::string_view text) {
    std::fstream file{folder.path() / "output.txt"};
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
}
/// As cp does: other files with the same bytes.
void copy_over(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    // The numbers of the files that went must not come back to the new ones.
    const std::ofstream held{to.string() + ".held"};
    fs::copy(from, to, fs::copy_options::recursive);
    fs::remove(to.string() + ".held");
}
void copy_folder(const Folder& from, const Folder& to) {
    for (const char* name : {".anel", "output.txt"}) {
        copy_over(from.path() / name, to.path() / name);
    }
}
Error refusal(const Folder& folder) {
    auto ledger = FileLedger::open(options_for(folder));
    BOOST_REQUIRE(!ledger);
    return ledger.error();
}

/// The .anel of an older copy beside an output.txt that has one round more, and some text behind that.
void restore_older_ledger(const Folder& folder, std::string_view end) {
    make_long_ledger(folder);
    const Folder backup;
    copy_folder(folder, backup);
    {
        auto ledger = must_open(options_for(folder));
        const auto grant = must_grant(*ledger, 1);
        must_append(*ledger, grant.segment, make_round(5));
    }
    std::ofstream{folder.path() / "output.txt", std::ios::app} << "no line feed" << end;
    copy_over(backup.path() / ".anel", folder.path() / ".anel");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(a_repair)

BOOST_AUTO_TEST_CASE(of_a_folder_in_order_does_nothing) {
    const Folder folder;
    make_long_ledger(folder);
    for (const auto mode : {RepairMode::rewrite, RepairMode::adopt}) {
        const auto report = must_repair(folder, mode);
        BOOST_TEST(report.rewritten.empty());
        BOOST_TEST(!report.needs_adoption());
        BOOST_TEST(!report.adoption);
        BOOST_TEST(describe(report, options_of(folder, mode)).back() == "nothing to do");
    }
    BOOST_TEST(!fs::exists(folder.path() / ".anel/adopted"));
    go_on(folder, 5, long_output());
}

BOOST_AUTO_TEST_CASE(writes_what_the_journal_has_and_tells_each_byte) {
    const Folder folder;
    make_long_ledger(folder);
    put(folder, third + 100, "edited");
    fs::resize_file(folder.path() / "output.txt", third + 5000);
    auto options = options_of(folder, RepairMode::rewrite);
    options.dry_run = true;
    const std::vector<ByteRange> expected{{third + 100, third + 106}, {third + 5000, long_output().size()}};
    const auto dry = repair(options);
    BOOST_TEST(fs::file_size(folder.path() / "output.txt") == third + 5000);
    BOOST_TEST(describe(*dry, options).back() == "can be repaired");
    // One record was cut and edited: from the first to behind the last byte that differs.
    BOOST_REQUIRE(dry->rewritten.size() == 1U);
    BOOST_TEST((dry->rewritten[0] == ByteRange{expected[0].begin, expected[1].end}));
    const auto report = must_repair(folder);
    BOOST_TEST((report.rewritten == dry->rewritten));
    BOOST_TEST(!report.needs_adoption());
    BOOST_TEST((folder.output() == long_output()));
    go_on(folder, 5, long_output());
}

BOOST_AUTO_TEST_CASE(is_refused_while_a_node_lives_and_a_node_while_it_is_at_work) {
    const Folder folder;
    {
        auto ledger = must_open(options_for(folder));
        auto report = repair(options_of(folder, RepairMode::rewrite));
        BOOST_REQUIRE(!report);
        BOOST_TEST((report.error().code == ErrorCode::folder_unusable));
        BOOST_TEST(report.error().text.find(fmt::format("process {}", ::getpid())) != std::string::npos,
                   report.error().text);
        auto options = options_of(folder, RepairMode::rewrite);
        options.dry_run = true;
        BOOST_TEST(repair(options).has_value());
    }
    static_cast<void>(must_repair(folder));
    auto folders = open_data_folder(folder.path(), std::nullopt);
    BOOST_REQUIRE(be_alone(folders->data.get(), *folders).has_value());
    const auto error = refusal(folder);
    BOOST_TEST((error.code == ErrorCode::folder_unusable));
    BOOST_TEST(error.text.find("anel repair is at work") != std::string::npos, error.text);
}

BOOST_AUTO_TEST_CASE(adopts_a_copied_folder_and_sequences_go_on) {
    const Folder original;
    make_long_ledger(original);
    const Folder copy;
    copy_folder(original, copy);
    const auto error = refusal(copy);
    BOOST_TEST((error.code == ErrorCode::outside_hands));
    BOOST_TEST(error.text.find("anel repair --adopt " + copy.path().string()) != std::string::npos, error.text);
    const auto plain = must_repair(copy);
    BOOST_TEST(plain.needs_adoption());
    BOOST_TEST(!plain.adoption);
    BOOST_TEST(plain.rewritten.empty());
    const auto adopted = must_repair(copy, RepairMode::adopt);
    BOOST_TEST(adopted.adoption.value() == 1U);
    BOOST_TEST(must_be_clean(copy).adopted.empty());
    BOOST_TEST(!must_repair(copy, RepairMode::adopt).adoption);
    go_on(copy, 5, long_output());
    // The original is not touched by that, and goes on by itself.
    go_on(original, 5, long_output());
}

BOOST_AUTO_TEST_CASE(accepts_what_was_edited_before_the_journal_and_finds_later_edits) {
    const Folder folder;
    make_long_ledger(folder);
    put(folder, 700'000, "edited");
    put(folder, third + 10, "edited");
    auto text = long_output();
    auto plain = must_repair(folder);
    BOOST_TEST((plain.rewritten == std::vector<ByteRange>{{third + 10, third + 16}}));
    BOOST_TEST((plain.changed == std::vector<ByteRange>{{0, 1024 * 1024}}));
    BOOST_TEST(plain.needs_adoption());
    BOOST_TEST(audit(folder.path())->difference.has_value());
    const auto report = must_repair(folder, RepairMode::adopt);
    BOOST_TEST(report.rewritten.empty());
    BOOST_TEST(report.adoption.value() == 1U);
    BOOST_TEST((must_be_clean(folder).adopted == std::vector<ByteRange>{{0, 1024 * 1024}}));
    text.replace(700'000, 6, "edited");
    go_on(folder, 5, text);
    put(folder, 700'000, "again!");
    BOOST_TEST(audit(folder.path())->difference->starts_with("output.txt differs in bytes 0 to 1048576 from what was"));
    BOOST_TEST((must_repair(folder).changed == std::vector<ByteRange>{{0, 1024 * 1024}}));
    BOOST_TEST(must_repair(folder, RepairMode::adopt).adoption.value() == 2U);
    must_be_clean(folder);
}

BOOST_AUTO_TEST_CASE(makes_blanks_of_what_is_lost_for_good) {
    const Folder folder;
    make_long_ledger(folder);
    fs::resize_file(folder.path() / "output.txt", 1'000'000);
    const auto begin = 2 * text_of(1, "a", large).size();  // of what the journal has
    const auto plain = must_repair(folder);
    BOOST_TEST((plain.lost == std::vector<ByteRange>{{1'000'000, begin}}));
    BOOST_TEST(plain.changed.empty());
    BOOST_TEST((plain.unchecked == std::vector<ByteRange>{{0, 1'000'000}}));
    BOOST_TEST(fs::file_size(folder.path() / "output.txt") == 1'000'000U);
    const auto report = must_repair(folder, RepairMode::adopt);
    BOOST_TEST(report.adoption.value() == 1U);
    auto text = long_output();
    text.replace(1'000'000, begin - 1'000'000, std::string(begin - 1'000'001, ' ') + "\n");
    BOOST_TEST((folder.output() == text));
    must_be_clean(folder);
    go_on(folder, 5, text);
}

BOOST_AUTO_TEST_CASE(makes_a_missing_output_again_where_the_journal_has_all) {
    const Folder folder;
    {
        auto ledger = must_open(options_for(folder));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_append(*ledger, grant.segment, make_round(2));
    }
    fs::remove(folder.path() / "output.txt");
    BOOST_TEST(refusal(folder).text.find("is missing") != std::string::npos);
    const auto plain = must_repair(folder);
    BOOST_TEST(plain.output_missing);
    BOOST_TEST(plain.lost.empty());
    BOOST_TEST(!fs::exists(folder.path() / "output.txt"));
    const auto report = must_repair(folder, RepairMode::adopt);
    BOOST_TEST(report.lost.empty());
    BOOST_TEST(folder.output() == text_of(1) + text_of(2));
    go_on(folder, 3, text_of(1) + text_of(2));
}

BOOST_AUTO_TEST_CASE(keeps_what_a_newer_output_has_behind_an_older_ledger) {
    for (const std::string_view end : {"\n", ""}) {
        const Folder folder;
        restore_older_ledger(folder, end);
        BOOST_TEST(refusal(folder).text.find(".anel was copied or restored") != std::string::npos);
        const auto before = folder.output();
        const auto report = must_repair(folder, RepairMode::adopt);
        BOOST_REQUIRE(report.behind.has_value());
        BOOST_TEST((*report.behind == ByteRange{long_output().size(), before.size()}));
        BOOST_TEST(folder.output() == before);
        go_on(folder, 5, before + (end.empty() ? "\n" : ""));
        const auto audited = must_be_clean(folder);
        go_on(folder, 6, before + (end.empty() ? "\n" : "") + text_of(5, "b"));
    }
}

BOOST_AUTO_TEST_CASE(that_adopts_once_more_keeps_what_the_one_before_it_kept) {
    for (const std::string_view end : {"\n", ""}) {
        for (const auto& later : {std::optional<BootId>{}, std::optional{boot('B')}}) {
            const Folder folder;
            restore_older_ledger(folder, end);
            const auto before = folder.output();
            BOOST_TEST(must_repair(folder, RepairMode::adopt).adoption.value() == 1U);
            for (const std::uint64_t number : {2U, 3U}) {
                fs::remove(folder.path() / ".anel/blocks");
                auto options = options_of(folder, RepairMode::adopt);
                options.boot = later;
                const auto report = repair(options);
                BOOST_REQUIRE_MESSAGE(report, report.error().text);
                BOOST_TEST(report->adoption.value() == number);
                const auto lines = describe(*report, options);
                BOOST_TEST(std::any_of(lines.begin(), lines.end(), [](const auto& line) {
                    return line.starts_with("behind the last round, kept");
                }));
                BOOST_TEST(folder.output() == before);
            }
            go_on(folder, 5, before + (end.empty() ? "\n" : ""), later);
        }
    }
}

BOOST_AUTO_TEST_CASE(finds_what_was_cut_or_edited_of_the_kept_tail_before_the_ring_went_on) {
    const Folder folder;
    restore_older_ledger(folder, "");
    const auto before = folder.output();
    BOOST_TEST(must_repair(folder, RepairMode::adopt).adoption.value() == 1U);
    must_be_clean(folder);
    put(folder, before.size() - 8, "edited");
    BOOST_TEST(audit(folder.path())->difference.has_value());
    const ByteRange tail{long_output().size(), before.size()};
    BOOST_TEST((must_repair(folder).changed == std::vector{tail}));
    BOOST_TEST(must_repair(folder, RepairMode::adopt).adoption.value() == 2U);
    must_be_clean(folder);
    fs::resize_file(folder.path() / "output.txt", before.size() - 7);
    BOOST_TEST(refusal(folder).text.find("it was shortened") != std::string::npos);
    BOOST_TEST((must_repair(folder).lost == std::vector{ByteRange{before.size() - 7, before.size()}}));
    BOOST_TEST(must_repair(folder, RepairMode::adopt).adoption.value() == 3U);
    auto text = before;
    text.replace(before.size() - 8, 8, "e      \n");
    BOOST_TEST((folder.output() == text));
    must_be_clean(folder);
    go_on(folder, 5, text + "\n");
}

BOOST_AUTO_TEST_CASE(keeps_a_tail_that_a_backup_takes_along_before_the_ring_went_on) {
    const Folder folder;
    restore_older_ledger(folder, "\n");
    const auto before = folder.output();
    BOOST_TEST(must_repair(folder, RepairMode::adopt).adoption.value() == 1U);
    const Folder target;
    const auto copied = backup(folder.path(), target.path());
    BOOST_REQUIRE_MESSAGE(copied, copied.error().text);
    BOOST_TEST(target.output() == before);
    BOOST_TEST(copied->check.lost.empty());
    BOOST_TEST(must_repair(target, RepairMode::adopt).adoption.value() == 2U);
    go_on(target, 5, before);
}

BOOST_AUTO_TEST_CASE(settles_how_many_records_count_whatever_a_reboot_finds) {
    // When the machine starts anew: never, before the adoption, or between it and the ring's start.
    const std::optional<BootId> here;
    const std::optional<BootId> next = boot('B');
    for (const auto& [adopted_in, started_in] : {std::pair{here, here}, std::pair{next, next}, std::pair{here, next}}) {
        const Folder folder;
        std::string before;
        {
            auto ledger = must_open(options_for(folder));
            const auto grant = must_grant(*ledger, 0);
            must_append(*ledger, grant.segment, make_round(1));
            must_append(*ledger, grant.segment, make_round(2));
            must_sync(*ledger, grant.segment, 2);
        }
        // The record of round 3 is whole, and nobody decided it.
        BOOST_REQUIRE(in_process([&] {
                          const Armed armed{"decide.before=exit"};
                          auto ledger = must_open(options_for(folder));
                          must_append(*ledger, {1}, make_round(3));
                          return 0;
                      }) == 77);
        std::ofstream{folder.path() / "output.txt", std::ios::app} << "what was acked after the copy was taken\n";
        before = folder.output();
        const Folder copy;
        copy_folder(folder, copy);
        auto options = options_of(copy, RepairMode::adopt);
        options.boot = adopted_in;
        const auto report = repair(options);
        BOOST_REQUIRE_MESSAGE(report, report.error().text);
        BOOST_TEST(report->adoption.value() == 1U);
        BOOST_TEST((copy.output() == before));
        go_on(copy, 3, before, started_in);
    }
}

BOOST_AUTO_TEST_CASE(goes_on_without_checksums_that_were_removed) {
    const Folder folder;
    make_long_ledger(folder);
    fs::remove(folder.path() / ".anel/blocks");
    BOOST_TEST((refusal(folder).code == ErrorCode::ledger_damaged));
    BOOST_TEST(must_repair(folder).sums_lost_from.value() == 0U);
    BOOST_TEST(must_repair(folder, RepairMode::adopt).adoption.value() == 1U);
    BOOST_TEST(!must_be_clean(folder).adopted.empty());
    go_on(folder, 5, long_output());
    put(folder, 20, "edited");
    BOOST_TEST(audit(folder.path())->difference.has_value());
}

BOOST_AUTO_TEST_CASE(says_what_nothing_can_restore) {
    const Folder folder;
    make_long_ledger(folder);
    {
        std::fstream file{folder.path() / ".anel/journal/4"};
        file.seekp(8192 + 300);
        file.put('!');
    }
    const auto report = repair(options_of(folder, RepairMode::adopt));
    BOOST_REQUIRE(!report);
    BOOST_TEST((report.error().code == ErrorCode::ledger_damaged));
}

BOOST_AUTO_TEST_CASE(that_dies_at_any_call_is_finished_by_the_next) {
    // Everything at once: copied, edited, cut, without checksums.
    const Folder source;
    make_long_ledger(source);
    for (const Cut cut : {Cut::before, Cut::within_write}) {
        int code = died;
        for (int calls = 0; code != 0; ++calls) {
            BOOST_TEST_CONTEXT("call " << calls << (cut == Cut::before ? ", before" : ", within a write")) {
                const Folder folder;
                copy_folder(source, folder);
                put(folder, 10, "edited");
                fs::resize_file(folder.path() / "output.txt", 1'000'000);
                code = in_process([&] {
                    Mortal files{calls, cut};
                    auto options = options_of(folder, RepairMode::adopt);
                    options.files = &files;
                    return repair(options) ? 0 : 1;
                });
                BOOST_REQUIRE((code == 0 || code == died));
                BOOST_REQUIRE(calls < 200);
                static_cast<void>(must_repair(folder, RepairMode::adopt));
                auto text = long_output();
                const auto begin = 2 * text_of(1, "a", large).size();
                text.replace(10, 6, "edited");
                text.replace(1'000'000, begin - 1'000'000, std::string(begin - 1'000'001, ' ') + "\n");
                BOOST_TEST((folder.output() == text));
                BOOST_TEST(folder.numbers("adopted") == std::vector<std::uint64_t>{1});
                go_on(folder, 5, text);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

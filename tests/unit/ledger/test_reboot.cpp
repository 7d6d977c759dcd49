// After a restart of the machine the words are not to be trusted, the records are.
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "ring/ledger/audit.hpp"
#include "ring/ledger/segment.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {

LedgerOptions on(const Folder& folder, char boot_name, std::uint64_t self = 0) {
    auto options = options_for(folder, self);
    options.boot = boot(boot_name);
    return options;
}

/// What a power cut may leave: the words of a segment as they were synced some time before.
void set_words(const Folder& folder, std::uint64_t segment, std::uint64_t decided, std::uint64_t durable) {
    std::fstream file{folder.path() / ".anel/journal" / std::to_string(segment)};
    file.write(reinterpret_cast<const char*>(&decided), 8);
    file.write(reinterpret_cast<const char*>(&durable), 8);
}
void overwrite(const std::filesystem::path& path, std::uint64_t offset, std::string_view text) {
    std::fstream file{path};
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
}

/// Rounds 1 to 3, before the restart of the machine.
void decide_three(const Folder& folder) {
    auto ledger = must_open(on(folder, 'A'));
    const auto grant = must_grant(*ledger, 0);
    for (std::uint64_t round = 1; round <= 3; ++round) {
        must_append(*ledger, grant.segment, make_round(round));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(after_a_reboot)

BOOST_AUTO_TEST_CASE(valid_records_count_and_the_word_does_not) {
    const Folder folder;
    decide_three(folder);
    set_words(folder, 1, 1, 1);
    auto ledger = must_open(on(folder, 'B'));
    BOOST_TEST(ledger->read({0})->tip.round.value == 3U);
    const auto grant = must_grant(*ledger, 1);
    BOOST_TEST(grant.segment.value == 2U);
    must_append(*ledger, grant.segment, make_round(4));
    BOOST_TEST(folder.output() == text_of(1) + text_of(2) + text_of(3) + text_of(4));
    BOOST_TEST(ledger->words({1})->durable.value == 3U);
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_is_an_error_and_never_the_end_of_the_records) {
    int failures = 0;
    for (int read = 1; read < 100; ++read) {
        BOOST_TEST_CONTEXT("read " << read << " of a record fails") {
            const Folder folder;
            decide_three(folder);
            set_words(folder, 1, 1, 0);
            auto granted = [&]() -> Result<Grant> {
                const Armed armed{"record.read=error:EIO@" + std::to_string(read)};
                auto ledger = FileLedger::open(on(folder, 'B'));
                return ledger ? (*ledger)->read({0}).and_then([&](const History& history) {
                    BOOST_TEST(history.tip.round.value == 3U);
                    return (*ledger)->grant({1});
                })
                              : tl::unexpected<Error>{ledger.error()};
            }();
            auto ledger = must_open(on(folder, 'B', 1));
            BOOST_TEST(ledger->read({0})->tip.round.value == 3U);
            BOOST_TEST(folder.output() == text_of(1) + text_of(2) + text_of(3));
            if (granted) break;
            BOOST_TEST((granted.error().code == ErrorCode::io_failed), granted.error().text);
            ++failures;
        }
    }
    BOOST_TEST(failures > 5);
}

BOOST_AUTO_TEST_CASE(nothing_is_decided_in_a_segment_of_another_boot) {
    const Folder folder;
    {
        auto ledger = must_open(on(folder, 'A'));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
    }
    auto ledger = must_open(on(folder, 'B'));
    BOOST_TEST((ledger->write_record({1}, make_round(2)).error().code == ErrorCode::fenced));
    BOOST_TEST((ledger->rotate({1}, {1}, std::nullopt).error().code == ErrorCode::fenced));
}

BOOST_AUTO_TEST_CASE(rounds_below_the_durable_word_must_be_there) {
    const Folder folder;
    {
        auto ledger = must_open(on(folder, 'A'));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_append(*ledger, grant.segment, make_round(2));
        must_sync(*ledger, grant.segment, 2);
    }
    const auto size = std::filesystem::file_size(folder.path() / ".anel/journal/1");
    overwrite(folder.path() / ".anel/journal/1", size - 70, "rotten");
    auto ledger = FileLedger::open(on(folder, 'B'));
    BOOST_REQUIRE(!ledger);
    BOOST_TEST((ledger.error().code == ErrorCode::ledger_damaged));
}

BOOST_AUTO_TEST_CASE(an_unacked_tail_becomes_blanks) {
    const Folder folder;
    std::uint64_t size = 0;
    {
        auto ledger = must_open(on(folder, 'A'));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        size = std::filesystem::file_size(folder.path() / ".anel/journal/1");
        must_append(*ledger, grant.segment, make_round(2));
    }
    // The record of round 2 never reached the disk, its output did.
    std::filesystem::resize_file(folder.path() / ".anel/journal/1", size);
    auto ledger = must_open(on(folder, 'B'));
    auto grant = must_grant(*ledger, 1);
    const std::string blank = std::string(text_of(2).size() - 1, ' ') + "\n";
    BOOST_TEST(folder.output() == text_of(1) + blank);
    must_append(*ledger, grant.segment, make_round(2, "new"));
    BOOST_TEST(folder.output() == text_of(1) + blank + text_of(2, "new"));
    auto report = audit(folder.path());
    BOOST_TEST(!report->difference);
    BOOST_TEST(report->filler_lines == 1U);
    must_checkpoint(*ledger, 2);
    report = audit(folder.path());
    BOOST_TEST(!report->difference);
    // Who recovers again writes the same.
    ledger = must_open(on(folder, 'C'));
    static_cast<void>(must_grant(*ledger, 2));
    BOOST_TEST(folder.output() == text_of(1) + blank + text_of(2, "new"));
}

BOOST_AUTO_TEST_CASE(all_output_since_the_checkpoint_is_written_again) {
    const Folder folder;
    {
        auto ledger = must_open(on(folder, 'A'));
        auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_checkpoint(*ledger, 1);
        must_append(*ledger, grant.segment, make_round(2));
        auto next = ledger->rotate(grant.segment, {2}, std::nullopt);
        must_append(*ledger, *next, make_round(3));
        must_append(*ledger, *next, make_round(4));
    }
    std::filesystem::resize_file(folder.path() / "output.txt", text_of(1).size() + 5);
    {
        // The first candidate dies before it has made its segment; the second does it all again.
        BOOST_TEST(in_process([&] {
                       auto ledger = FileLedger::open(on(folder, 'B'));
                       static_cast<void>(fail_points::arm("grant.before_link=exit"));
                       return (*ledger)->grant({1}) ? 1 : 2;
                   }) == 77);
    }
    std::filesystem::resize_file(folder.path() / "output.txt", text_of(1).size() + 5);
    auto ledger = must_open(on(folder, 'B'));
    static_cast<void>(must_grant(*ledger, 1));
    BOOST_TEST(folder.output() == text_of(1) + text_of(2) + text_of(3) + text_of(4));
}

BOOST_AUTO_TEST_CASE(a_candidate_that_dies_before_its_blanks_leaves_them_to_the_next) {
    const Folder folder;
    {
        auto ledger = must_open(on(folder, 'A'));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
    }
    overwrite(folder.path() / "output.txt", text_of(1).size(), "leftover");
    BOOST_TEST(in_process([&] {
                   auto ledger = FileLedger::open(on(folder, 'B'));
                   static_cast<void>(fail_points::arm("grant.linked=exit"));
                   return (*ledger)->grant({1}) ? 1 : 2;
               }) == 77);
    BOOST_TEST(folder.output() == text_of(1) + "leftover");
    auto ledger = must_open(on(folder, 'B'));
    const auto grant = must_grant(*ledger, 2);
    BOOST_TEST(grant.segment.value == 3U);
    BOOST_TEST(folder.output() == text_of(1) + "       \n");
    must_append(*ledger, grant.segment, make_round(2));
    BOOST_TEST(!audit(folder.path())->difference);
}

BOOST_AUTO_TEST_CASE(a_fenced_record_behind_a_sealed_count_never_counts) {
    const Folder folder;
    {
        auto stale = must_open(on(folder, 'A', 0));
        const auto old = must_grant(*stale, 0);
        must_append(*stale, old.segment, make_round(1));
        BOOST_REQUIRE(stale->write_record(old.segment, make_round(2, "stale")).has_value());
        auto other = must_open(on(folder, 'A', 1));
        const auto grant = must_grant(*other, 1);
        must_append(*other, grant.segment, make_round(2, "new"));
    }
    auto ledger = must_open(on(folder, 'B'));
    static_cast<void>(must_grant(*ledger, 2));
    BOOST_TEST(ledger->read({0})->rounds.size() == 2U);
    BOOST_TEST(folder.output() == text_of(1) + text_of(2, "new"));
}

BOOST_AUTO_TEST_CASE(what_a_descriptor_did_not_see_written_is_written_again_before_it_is_vouched_for) {
    struct Recorder : FileSystem {
        std::vector<std::string> calls;
        ssize_t write(int fd, const iovec* pieces, int count, off_t offset) override {
            calls.push_back("write " + std::to_string(offset));
            return FileSystem::write(fd, pieces, count, offset);
        }
        int fdatasync(int fd) override {
            calls.emplace_back("fdatasync");
            return FileSystem::fdatasync(fd);
        }
    };
    const Folder folder;
    std::uint64_t segment = 0;
    {
        auto ledger = must_open(on(folder, 'A'));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_sync(*ledger, grant.segment, 1);
        must_append(*ledger, grant.segment, make_round(2));
        must_append(*ledger, grant.segment, make_round(3));
        segment = grant.segment.value;
    }
    Recorder files;
    auto options = on(folder, 'A', 1);
    options.files = &files;
    auto ledger = must_open(options);
    files.calls.clear();
    must_sync(*ledger, {segment}, 3);
    ledger.reset();
    BOOST_REQUIRE(files.calls.size() == 3U);
    BOOST_TEST(files.calls[0].starts_with("write"));
    BOOST_TEST(files.calls[1].starts_with("write"));
    BOOST_TEST(files.calls[2] == "fdatasync");
}

BOOST_AUTO_TEST_SUITE_END()

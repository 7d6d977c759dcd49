// The output goes on in new files: when, what each of them has, and what is left when the oldest are removed.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>

#include "ring/ledger/audit.hpp"
#include "ring/ledger/backup.hpp"
#include "ring/ledger/durable_end.hpp"
#include "ring/ledger/output.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// A holder that does as a node does: where a round begins a new file, it rotates first.
class Holder {
public:
    explicit Holder(const LedgerOptions& options) : ledger{must_open(options)} {
        const auto tip = ledger->read({0})->tip;
        segment_ = must_grant(*ledger, tip.epoch.value).segment;
        round = tip.round.value;
    }
    void add(std::size_t filler = 0) {
        const auto record = make_round(++round, "a", filler);
        auto written = ledger->write_record(segment_, RoundRecord{record});
        if (!written && written.error().code == ErrorCode::output_full) {
            go_on_in_new_file();
            written = ledger->write_record(segment_, RoundRecord{record});
        }
        BOOST_REQUIRE_MESSAGE(written.has_value(), written.error().text);
        BOOST_REQUIRE(ledger->decide(segment_, record.round).has_value());
        BOOST_REQUIRE(ledger->write_output(record.round).has_value());
    }
    void go_on_in_new_file() {
        auto next = ledger->rotate(segment_, {round - 1}, 1000);
        BOOST_REQUIRE_MESSAGE(next.has_value(), next.error().text);
        segment_ = *next;
    }
    void checkpoint() {
        must_sync(*ledger, segment_, round);
        must_checkpoint(*ledger, round);
    }
    std::unique_ptr<FileLedger> ledger;
    std::uint64_t round = 0;

private:
    SegmentNumber segment_;
};

/// In front of the n-th time from now that a file of this name is opened, something else happens.
class Meanwhile : public FileSystem {
public:
    void before_open(std::string name, int times, std::function<void()> act) {
        name_ = std::move(name);
        left_ = times;
        act_ = std::move(act);
    }
    [[nodiscard]] bool done() const { return left_ == 0; }
    int open(int folder, const char* name, int flags, mode_t mode) override {
        if (left_ > 0 && name_ == name && --left_ == 0) act_();
        return FileSystem::open(folder, name, flags, mode);
    }

private:
    std::string name_;
    int left_ = 0;
    std::function<void()> act_;
};

LedgerOptions rotating(const Folder& folder, const OutputRotation& rotation) {
    auto options = options_for(folder);
    options.rotation = rotation;
    return options;
}

std::string rounds_of(std::uint64_t first, std::uint64_t last, std::size_t filler = 0) {
    std::string text;
    for (auto round = first; round <= last; ++round) {
        text += text_of(round, "a", filler);
    }
    return text;
}

Result<RepairReport> repair_of(const Folder& folder, RepairMode mode) {
    return repair({.folder = folder.path(), .mode = mode, .dry_run = false, .files = nullptr, .boot = {}});
}

AuditReport clean_audit(const Folder& folder) {
    const auto report = audit(folder.path());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(!report->difference, *report->difference);
    return *report;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rotation)

BOOST_AUTO_TEST_CASE(begins_a_file_by_bytes_rounds_or_time_and_never_behind_an_empty_one) {
    constexpr std::int64_t day = std::int64_t{86'400} * 1'000'000;
    const auto round = [](WallTime wall_us) {
        auto record = make_round(5);
        record.wall_us = wall_us;
        return record;
    };
    const OutputFill fill{.bytes = 1000, .rounds = 3, .begun_us = day - 1};
    const auto size = text_of(5).size();
    BOOST_TEST(!OutputRotation{}.begins_file(fill, round(9 * day)));
    BOOST_TEST(!(OutputRotation{.bytes = 1000 + size}.begins_file(fill, round(1))));
    BOOST_TEST((OutputRotation{.bytes = 999 + size}.begins_file(fill, round(1))));
    BOOST_TEST(!(OutputRotation{.rounds = 4}.begins_file(fill, round(1))));
    BOOST_TEST((OutputRotation{.rounds = 3}.begins_file(fill, round(1))));
    BOOST_TEST(!(OutputRotation{.seconds = 86'400}.begins_file(fill, round(day - 1))));
    BOOST_TEST((OutputRotation{.seconds = 86'400}.begins_file(fill, round(day))));
    BOOST_TEST(!(OutputRotation{.bytes = 1}.begins_file({}, round(1))));
    auto silent = round(9 * day);
    silent.text.clear();
    BOOST_TEST(!(OutputRotation{.bytes = 1, .rounds = 1, .seconds = 1}.begins_file(fill, silent)));
}

BOOST_AUTO_TEST_CASE(leaves_finished_files_under_numbers_and_output_txt_the_newest) {
    const Folder folder;
    Holder holder{rotating(folder, {.rounds = 2})};
    for (int count = 0; count < 5; ++count) {
        holder.add();
    }
    BOOST_TEST(content_of(folder.path() / "output.000001.txt") == rounds_of(1, 2));
    BOOST_TEST(content_of(folder.path() / "output.000002.txt") == rounds_of(3, 4));
    BOOST_TEST(content_of(folder.path() / "output.txt") == rounds_of(5, 5));
    holder.checkpoint();
    const auto report = clean_audit(folder);
    BOOST_TEST(report.files == 3U);
    BOOST_TEST(report.output_bytes == rounds_of(1, 5).size());
    Holder next{rotating(folder, {.rounds = 2})};
    next.add();
    next.add();
    BOOST_TEST(content_of(folder.path() / "output.000003.txt") == rounds_of(5, 6));
    BOOST_TEST(content_of(folder.path() / "output.txt") == rounds_of(7, 7));
    BOOST_TEST(folder.output() == rounds_of(1, 7));
    clean_audit(folder);
}

BOOST_AUTO_TEST_CASE(is_off_unless_asked_for_and_leaves_the_volume_as_it_was) {
    const Folder folder;
    Holder holder{options_for(folder)};
    holder.add(700'000);
    holder.add(700'000);
    holder.checkpoint();
    BOOST_TEST(!fs::exists(folder.path() / ".anel/series"));
    for (const auto& entry : fs::directory_iterator{folder.path()}) {
        BOOST_TEST((entry.path().filename() == "output.txt" || entry.path().filename() == ".anel"));
    }
    std::ifstream segment{folder.path() / ".anel/journal/1", std::ios::binary};
    segment.seekg(4096 + 8);
    BOOST_TEST(segment.get() == 1);  // the version that programs before this one read
}

BOOST_AUTO_TEST_CASE(goes_on_when_the_oldest_files_were_removed_and_verify_says_so) {
    const Folder folder;
    {
        Holder holder{rotating(folder, {.bytes = 900'000})};
        for (int count = 0; count < 5; ++count) {
            holder.add(700'000);
        }
        holder.checkpoint();
        fs::remove(folder.path() / "output.000001.txt");
        fs::remove(folder.path() / "output.000002.txt");
        holder.add(700'000);
        holder.checkpoint();
    }
    Holder next{rotating(folder, {.bytes = 900'000})};
    const auto report = clean_audit(folder);
    BOOST_TEST(report.removed_files == 2U);
    BOOST_TEST(report.removed_bytes == rounds_of(1, 2, 700'000).size());
    BOOST_TEST(report.files == 4U);
}

BOOST_AUTO_TEST_CASE(a_finished_file_that_was_edited_or_is_missing_between_others_is_found) {
    const Folder folder;
    Holder holder{rotating(folder, {.bytes = 900'000})};
    for (int count = 0; count < 5; ++count) {
        holder.add(700'000);
    }
    holder.checkpoint();
    const auto finds = [&](const char* what) {
        const auto report = audit(folder.path());
        BOOST_REQUIRE(report->difference.has_value());
        BOOST_TEST(report->difference->find(what) != std::string::npos, *report->difference);
    };
    const auto put = [&](std::uint64_t offset, char byte) {
        std::fstream file{folder.path() / "output.000003.txt", std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(byte);
    };
    put(10'000, '!');
    finds("differs somewhere in bytes 1048576 to 2097152");
    // The MiB begins in a file that is removed: what that one had of it is still known.
    fs::remove(folder.path() / "output.000001.txt");
    fs::rename(folder.path() / "output.000002.txt", folder.path() / "kept");
    finds("differs somewhere in bytes 1400164 to 2097152");
    put(10'000, 'x');
    clean_audit(folder);
    fs::rename(folder.path() / "kept", folder.path() / "output.000002.txt");
    clean_audit(folder);
    fs::rename(folder.path() / "output.000003.txt", folder.path() / "kept");
    finds("output.000003.txt is missing between others: put it back, or remove those before it too");
    fs::rename(folder.path() / "kept", folder.path() / "output.000003.txt");
    std::ofstream{folder.path() / "output.000003.txt", std::ios::app} << "more";
    finds("output.000003.txt has 700086 bytes, the ring wrote 700082");
}

BOOST_AUTO_TEST_CASE(an_audit_knows_the_files_that_were_made_since_it_opened_the_output) {
    const Folder folder;
    Holder holder{rotating(folder, {.bytes = 900'000})};
    holder.add(700'000);
    FileSystem files;
    auto opened = open_to_look(files, folder.path());
    BOOST_REQUIRE(opened.has_value());
    for (int count = 0; count < 4; ++count) {
        holder.add(700'000);
    }
    holder.checkpoint();
    const auto report = audit(files, *opened);
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(!report->difference, *report->difference);
    BOOST_TEST(report->files == 5U);
}

BOOST_AUTO_TEST_CASE(a_node_that_sleeps_in_its_start_while_the_output_goes_on_in_a_new_file_finds_nothing_wrong) {
    const Folder folder;
    Holder holder{rotating(folder, {.bytes = 0, .rounds = 2, .seconds = 0})};
    holder.add();
    holder.checkpoint();
    Meanwhile files;
    files.before_open("adopted", 1, [&] {
        for (int round = 0; round < 4; ++round) holder.add(1000);
        holder.checkpoint();
    });
    auto options = options_for(folder, 1);
    options.files = &files;
    const auto opened = FileLedger::open(options);
    BOOST_TEST(files.done());
    BOOST_TEST(opened.has_value(), (opened ? "" : opened.error().text));
}

BOOST_AUTO_TEST_CASE(an_audit_finds_nothing_wrong_with_a_file_that_gets_its_name_while_it_looks) {
    const Folder folder;
    const int code = in_process([&] {
        auto ledger = must_open(options_for(folder));
        const auto segment = must_grant(*ledger, 0).segment;
        must_append(*ledger, segment, make_round(1));
        static_cast<void>(fail_points::arm("output.before_turn=exit"));
        static_cast<void>(ledger->rotate(segment, {1}, 1));
        return 0;
    });
    BOOST_TEST(code == 77);
    Meanwhile files;
    auto opened = open_to_look(files, folder.path());
    BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().text);
    files.before_open("2", 2, [&] {
        auto other = must_open(options_for(folder, 1));
        static_cast<void>(other->read({0}));
        for (std::uint64_t round = 2; round <= 4; ++round) {
            must_append(*other, {2}, make_round(round));
        }
    });
    const auto report = audit(files, *opened, AuditScope::all);
    BOOST_TEST(files.done());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(!report->difference, *report->difference);
    BOOST_TEST(report->last_round.value == 4U);
}

BOOST_AUTO_TEST_CASE(a_repair_puts_back_what_the_journal_has_of_a_finished_file) {
    const Folder folder;
    {
        Holder holder{rotating(folder, {.rounds = 2})};
        for (int count = 0; count < 5; ++count) {
            holder.add();
        }
    }
    fs::resize_file(folder.path() / "output.000001.txt", 10);
    BOOST_TEST(audit(folder.path())->difference.has_value());
    const auto report = repair_of(folder, RepairMode::rewrite);
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(folder.output() == rounds_of(1, 5));
    clean_audit(folder);
}

BOOST_AUTO_TEST_CASE(a_backup_has_all_files_and_goes_on_as_a_ledger) {
    const Folder folder;
    const Folder target;
    Holder holder{rotating(folder, {.bytes = 900'000})};
    for (int count = 0; count < 4; ++count) {
        holder.add(700'000);
    }
    holder.checkpoint();
    holder.add(700'000);
    fs::remove(folder.path() / "output.000001.txt");
    const auto report = backup(folder.path(), target.path());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_TEST(report->sound());
    BOOST_TEST(target.output() == rounds_of(2, 5, 700'000));
    BOOST_REQUIRE(repair_of(target, RepairMode::adopt).has_value());
    Holder copy{rotating(target, {.bytes = 900'000})};
    copy.add(700'000);
    copy.add(700'000);
    copy.checkpoint();
    BOOST_TEST(target.output() == rounds_of(2, 7, 700'000));
    BOOST_TEST(clean_audit(target).removed_files == 1U);
}

BOOST_AUTO_TEST_CASE(who_only_looks_sees_the_end_of_the_output_go_on_over_files) {
    const Folder folder;
    Holder holder{rotating(folder, {.rounds = 2})};
    holder.add();
    holder.checkpoint();
    FileSystem files;
    auto opened = open_to_look(files, folder.path());
    BOOST_REQUIRE(opened.has_value());
    DurableEnd end{files, *opened};
    BOOST_TEST(end.look()->offset == rounds_of(1, 1).size());
    for (int count = 0; count < 6; ++count) {
        holder.add();
    }
    holder.checkpoint();
    const auto mark = end.look();
    BOOST_REQUIRE_MESSAGE(mark.has_value(), mark.error().text);
    BOOST_TEST(mark->offset == rounds_of(1, 7).size());
    Bytes read(mark->offset);
    BOOST_TEST(opened->output.read(read, 0).value() == read.size());
    BOOST_TEST(as_text(read) == rounds_of(1, 7));
    fs::remove(folder.path() / "output.000001.txt");
    BOOST_TEST(end.look()->begin == rounds_of(1, 2).size());
}

BOOST_AUTO_TEST_SUITE_END()

#include "tests/unit/ledger/site.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <set>

#include "ring/ledger/audit.hpp"
#include "ring/ledger/output.hpp"
#include "tests/unit/ledger/power_cut.hpp"

namespace anel::test {

LedgerOptions options_of(const Site& site, std::uint64_t self, FileSystem& files) {
    LedgerOptions options;
    options.folder = site.folder;
    options.nodes = {{0}, {1}, {2}};
    options.self = {self};
    options.adopt = !site.book.start().empty();
    options.files = &files;
    options.boot = boot(site.boot_name);
    return options;
}
LedgerOptions options_of(const Site& site, std::uint64_t self, VolumeRecord& record) {
    auto options = options_of(site, self, static_cast<FileSystem&>(record));
    options.durable = [&record](const tl::expected<Round, Error>& round) {
        if (round) {
            record.vouch(round->value);
        }
    };
    return options;
}

namespace {

/// Also where a finished file has lost its end.
std::size_t size_of_output(const std::filesystem::path& folder) {
    FileSystem files;
    auto folders = open_folder_to_read(folder);
    BOOST_REQUIRE(folders && open_inner_folders(files, *folders));
    const auto output = Output::open(files, *folders, false);
    return output && *output ? (*output)->size().value() : 0;
}

void recover_with(Site& site, std::uint64_t vouched, std::size_t events, const LedgerOptions& options) {
    const std::size_t size_before = size_of_output(site.folder);
    auto ledger = must_open(options);
    const auto history = ledger->read({0});
    BOOST_REQUIRE_MESSAGE(history.has_value(), history.error().text);
    const auto tip = history->tip;
    const auto grant = must_grant(*ledger, tip.epoch.value);
    const auto output = output_of(site.folder);
    site.book.found(output, tip.round.value, vouched, events);
    BOOST_REQUIRE_LE(output.size(), std::max(size_before, output.find_last_not_of(" \n") + 2));
    Sessions sessions;
    if (history->snapshot) {
        sessions.insert(history->snapshot->sessions.begin(), history->snapshot->sessions.end());
    }
    for (const auto& round : history->rounds) {
        take_changes(sessions, round.changes);
    }
    BOOST_REQUIRE((sessions == site.book.sessions()));
    BOOST_REQUIRE((tip.sequence == site.book.snapshot().sequence));
    const std::string client = fmt::format("of {} behind {}", site.boot_name, tip.round.value);
    const auto round = site.book.hello(client);
    must_append(*ledger, grant.segment, round);
    site.book.decided(round, 0);
    const auto text = site.book.message(client, "b");
    must_append(*ledger, grant.segment, text);
    site.book.decided(text, 0);
    must_sync(*ledger, grant.segment, site.book.rounds());
    BOOST_REQUIRE((output_of(site.folder) == output + text.text));
    ledger->checkpoint(site.book.snapshot());
    ledger->wait_for_checkpoint();
}

}  // namespace

void recover(Site& site, std::uint64_t vouched, std::size_t events, FileSystem& files) {
    recover_with(site, vouched, events, options_of(site, 1, files));
}
void recover(Site& site, std::uint64_t vouched, std::size_t events, VolumeRecord& record) {
    recover_with(site, vouched, events, options_of(site, 1, record));
}

void reboot_and_audit(Site& site) {
    QuickDisk files;
    ++site.boot_name;
    recover(site, site.book.rounds(), 0, files);
    const auto report = audit(site.folder);
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    BOOST_REQUIRE_MESSAGE(!report->difference, *report->difference);
    BOOST_REQUIRE_EQUAL(report->last_round.value, site.book.rounds());
}

Result<void> add_round(FileLedger& ledger, SegmentNumber segment, const RoundRecord& round, Book& book,
                       const VolumeRecord& record) {
    if (auto written = ledger.write_record(segment, RoundRecord{round}); !written) {
        book.tried(round);
        return written;
    }
    if (auto done = ledger.decide(segment, round.round); !done) {
        book.tried(round);
        return done;
    }
    book.decided(round, record.now());
    return ledger.write_output(round.round);
}

std::filesystem::path Stash::keep(const std::filesystem::path& folder) {
    const auto kept = folder_.path() / std::to_string(count_++);
    std::filesystem::create_directory(kept);
    const auto keep_one = [&](const std::filesystem::path& file) {
        struct stat status {};
        if (::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            std::error_code twice;  // a file with two names
            std::filesystem::create_hard_link(file, kept / std::to_string(status.st_ino), twice);
        }
    };
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        keep_one(entry);
    }
    keep_one(folder / ".anel/ledger");
    return kept;
}

}  // namespace anel::test

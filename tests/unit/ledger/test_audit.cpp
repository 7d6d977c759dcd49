// The audit finds what differs and says where.
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "ring/ledger/audit.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {
AuditReport must_audit(const Folder& folder) {
    auto report = audit(folder.path());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    return *report;
}

/// Four rounds of more than half a MiB each, below the journal. @return the segment for the next one.
SegmentNumber fill_below_the_journal(FileLedger& ledger) {
    auto segment = must_grant(ledger, 0).segment;
    for (std::uint64_t round = 1; round <= 4; ++round) {
        must_append(ledger, segment, make_round(round, "a", 600'000));
        segment = *ledger.rotate(segment, {round}, std::nullopt);
    }
    must_checkpoint(ledger, 4);
    return segment;
}

void put(const std::filesystem::path& path, std::uint64_t offset, char value) {
    std::fstream file{path};
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(value);
}
}  // namespace

BOOST_AUTO_TEST_SUITE(an_audit)

BOOST_AUTO_TEST_CASE(a_running_ledger_is_clean) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    BOOST_TEST(!must_audit(folder).difference);
    const auto grant = must_grant(*ledger, 0);
    for (std::uint64_t round = 1; round <= 3; ++round) {
        must_append(*ledger, grant.segment, make_round(round));
    }
    const auto report = must_audit(folder);
    BOOST_TEST(!report.difference);
    BOOST_TEST(report.rounds == 3U);
    BOOST_TEST(report.messages == 3U);
    BOOST_TEST(report.sessions == 1U);
    BOOST_TEST(report.counted_rounds == 3U);
    BOOST_TEST(report.exact_from == 0U);
    BOOST_TEST(report.output_bytes == folder.output().size());
    BOOST_TEST(describe(report).back() == "clean: output and ledger agree");
}

BOOST_AUTO_TEST_CASE(a_decided_round_that_is_not_written_yet_is_no_difference) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    BOOST_REQUIRE(ledger->write_record(grant.segment, make_round(2)).has_value());
    BOOST_REQUIRE(ledger->decide(grant.segment, {2}).has_value());
    const auto report = must_audit(folder);
    BOOST_TEST(!report.difference);
    BOOST_TEST(report.last_round_pending);
}

BOOST_AUTO_TEST_CASE(one_changed_byte_of_output_is_found) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    must_append(*ledger, grant.segment, make_round(2));
    put(folder.path() / "output.txt", 17, '!');
    const auto report = must_audit(folder);
    BOOST_REQUIRE(report.difference.has_value());
    BOOST_TEST(
        report.difference->starts_with("output.txt byte 17 is not what round 1 wrote there: stop all nodes and "
                                       "run anel repair /"));
}

BOOST_AUTO_TEST_CASE(below_the_journal_the_mib_is_named) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    (void)fill_below_the_journal(*ledger);
    BOOST_TEST(!must_audit(folder).difference);
    put(folder.path() / "output.txt", 1'200'000, '!');
    auto report = must_audit(folder);
    BOOST_REQUIRE(report.difference.has_value());
    BOOST_TEST(report.difference->starts_with(
        "output.txt differs somewhere in bytes 1048576 to 2097152 (checksum of the MiB): stop all nodes and"));
    BOOST_TEST((report.faults == std::vector<ByteRange>{{1048576, 2097152}}));
    put(folder.path() / "output.txt", 1'200'000, 'x');
    put(folder.path() / "output.txt", 2'200'000, '!');  // in the block that is not finished
    BOOST_TEST(must_audit(folder).difference.has_value());
}

BOOST_AUTO_TEST_CASE(an_audit_of_the_journal_alone_minds_what_the_journal_has_and_nothing_before) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto segment = fill_below_the_journal(*ledger);
    must_append(*ledger, segment, make_round(5));
    must_append(*ledger, segment, make_round(6));  // the last one may always be on its way
    put(folder.path() / "output.txt", 1'200'000, '!');
    auto report = audit(folder.path(), AuditScope::journal);
    BOOST_REQUIRE(report.has_value());
    BOOST_TEST(!report->difference);
    BOOST_TEST(report->block_bytes_end == 0U);
    BOOST_TEST(report->rounds > 0U);
    put(folder.path() / "output.txt", folder.output().size() - make_round(6).text.size() - 2, '!');
    report = audit(folder.path(), AuditScope::journal);
    BOOST_REQUIRE(report.has_value());
    BOOST_TEST(report->difference.has_value());
}

BOOST_AUTO_TEST_CASE(a_message_written_twice_is_found) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    auto twice = make_round(2);
    twice.changes = make_round(1).changes;
    must_append(*ledger, grant.segment, twice);
    const auto report = must_audit(folder);
    BOOST_REQUIRE(report.difference.has_value());
    BOOST_TEST(report.difference->starts_with("round 2: it has 1 messages, its clients went on by 0"));
}

BOOST_AUTO_TEST_CASE(a_damaged_record_is_a_difference) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    put(folder.path() / ".anel/journal/1", 8192 + 180, '!');
    BOOST_TEST(must_audit(folder).difference.has_value());
}

BOOST_AUTO_TEST_CASE(where_no_ledger_is_nothing_can_be_audited) {
    const Folder folder;
    BOOST_TEST((audit(folder.path()).error().code == ErrorCode::folder_unusable));
    BOOST_TEST((audit(folder.path() / "missing").error().code == ErrorCode::folder_unusable));
}

BOOST_AUTO_TEST_SUITE_END()

// How far output.txt is certain, as one sees it who only looks while nodes decide, sleep, rotate and trim.
#include <boost/test/unit_test.hpp>

#include "ring/ledger/durable_end.hpp"
#include "ring/ledger/repair.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {

struct Looker {
    explicit Looker(const Folder& folder) : opened{open(files, folder)}, end{files, opened} {}
    DurableMark look() {
        auto mark = end.look();
        BOOST_REQUIRE_MESSAGE(mark.has_value(), mark.error().text);
        return *mark;
    }
    static OpenedLedger open(FileSystem& files, const Folder& folder) {
        auto opened = open_to_look(files, folder.path());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().text);
        return std::move(*opened);
    }

    FileSystem files;
    OpenedLedger opened;
    DurableEnd end;
};

void check(const DurableMark& mark, std::uint64_t offset, std::uint64_t round, bool all) {
    BOOST_TEST(mark.offset == offset);
    BOOST_TEST(mark.round.value == round);
    BOOST_TEST(mark.all == all);
}

std::uint64_t size_up_to(std::uint64_t round) {
    std::uint64_t bytes = 0;
    for (std::uint64_t one = 1; one <= round; ++one) bytes += text_of(one).size();
    return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(the_durable_end)

BOOST_AUTO_TEST_CASE(what_is_written_counts_once_it_is_durable) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    Looker looker{folder};
    check(looker.look(), 0, 0, true);
    const auto grant = must_grant(*ledger, 0);
    check(looker.look(), 0, 0, true);
    must_append(*ledger, grant.segment, make_round(1));
    must_append(*ledger, grant.segment, make_round(2));
    check(looker.look(), 0, 0, false);
    must_sync(*ledger, grant.segment, 2);
    check(looker.look(), size_up_to(2), 2, true);
    must_append(*ledger, grant.segment, make_round(3));
    check(looker.look(), size_up_to(2), 2, false);
}

BOOST_AUTO_TEST_CASE(a_durable_round_that_its_holder_has_not_written_yet_does_not_count) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    Looker looker{folder};
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    BOOST_REQUIRE(ledger->write_record(grant.segment, make_round(2)).has_value());
    BOOST_REQUIRE(ledger->decide(grant.segment, {2}).has_value());
    must_sync(*ledger, grant.segment, 2);
    check(looker.look(), size_up_to(1), 1, false);
    BOOST_REQUIRE(ledger->write_output({2}).has_value());
    check(looker.look(), size_up_to(2), 2, true);
}

BOOST_AUTO_TEST_CASE(it_follows_from_segment_to_segment_and_over_trimmed_ones) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    Looker early{folder};
    auto grant = must_grant(*ledger, 0);
    Looker sleeper{folder};
    check(sleeper.look(), 0, 0, true);
    for (std::uint64_t round = 1; round <= 4; ++round) {
        must_append(*ledger, grant.segment, make_round(round));
        grant = must_grant(*ledger, grant.epoch.value);
        check(early.look(), size_up_to(round), round, true);
    }
    must_append(*ledger, grant.segment, make_round(5));
    must_sync(*ledger, grant.segment, 5);
    must_checkpoint(*ledger, 5);
    BOOST_REQUIRE(folder.numbers("journal").front() > 2);
    check(early.look(), size_up_to(5), 5, true);
    check(sleeper.look(), size_up_to(5), 5, true);
    Looker late{folder};
    check(late.look(), size_up_to(5), 5, true);
}

BOOST_AUTO_TEST_CASE(after_a_restart_of_the_machine_only_a_checkpoint_is_certain_until_the_next_grant) {
    const Folder folder;
    auto options = options_for(folder);
    options.boot = boot('x');
    {
        auto ledger = must_open(options);
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_sync(*ledger, grant.segment, 1);
        must_checkpoint(*ledger, 1);
        must_append(*ledger, grant.segment, make_round(2));
        must_sync(*ledger, grant.segment, 2);
    }
    Looker looker{folder};
    check(looker.look(), size_up_to(1), 1, true);
    auto ledger = must_open(options_for(folder));
    (void)must_grant(*ledger, 1);
    check(looker.look(), size_up_to(2), 2, true);
}

BOOST_AUTO_TEST_CASE(a_shortened_output_is_said_and_not_given) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    must_append(*ledger, grant.segment, make_round(2));
    must_sync(*ledger, grant.segment, 2);
    Looker looker{folder};
    check(looker.look(), size_up_to(2), 2, true);
    std::filesystem::resize_file(folder.path() / "output.txt", 3);
    const auto after = looker.end.look();
    BOOST_REQUIRE(!after.has_value());
    BOOST_TEST((after.error().code == ErrorCode::outside_hands));
}

BOOST_AUTO_TEST_CASE(an_adopted_output_has_another_name) {
    const Folder folder;
    std::string before;
    {
        auto ledger = must_open(options_for(folder));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_sync(*ledger, grant.segment, 1);
        Looker looker{folder};
        before = *name_of_output(looker.files, looker.opened);
        Looker again{folder};
        BOOST_TEST(*name_of_output(again.files, again.opened) == before);
    }
    const auto output = folder.path() / "output.txt";
    std::filesystem::copy_file(output, folder.path() / "copy");
    std::filesystem::rename(folder.path() / "copy", output);
    RepairOptions options;
    options.folder = folder.path();
    options.mode = RepairMode::adopt;
    const auto adopted = repair(options);
    BOOST_REQUIRE(adopted.has_value());
    Looker looker{folder};
    const auto after = *name_of_output(looker.files, looker.opened);
    BOOST_TEST(after != before);
    BOOST_TEST(after.starts_with(before + "-1-"));
}

BOOST_AUTO_TEST_SUITE_END()

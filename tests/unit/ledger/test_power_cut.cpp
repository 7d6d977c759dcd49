// The power goes at any point of a ledger's life, and the disk has any part of what no sync covered: nothing that was
// vouched for is lost, moved, doubled or changed, and the ledger goes on.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <set>

#include "tests/unit/ledger/power_cut.hpp"
#include "tests/unit/ledger/site.hpp"

using namespace anel;
using namespace anel::test;

namespace {

/// What two nodes do in a few seconds: every kind of change to the volume, some while a sync is under way.
class Life {
public:
    Life(Site& site, VolumeRecord& record)
        : site_{site}, record_{record}, node_{must_open(options_of(site, 0, record))} {}

    void run() {
        first_epoch();
        goes_on_while_disks_are_busy();
        fenced();
        restarted();
    }

private:
    void add(const RoundRecord& round) {
        const auto done = add_round(*node_, segment_, round, site_.book, record_);
        BOOST_REQUIRE_MESSAGE(done.has_value(), done.error().text);
    }
    void say(const char* client, std::size_t filler = 0) { add(site_.book.message(client, "a", filler)); }
    void sync() { must_sync(*node_, segment_, site_.book.rounds()); }

    void first_epoch() {
        node_->set_call_word({0}, {7});
        segment_ = must_grant(*node_, 0).segment;
        add(site_.book.hello("one"));
        say("one");
        sync();
        say("one", 3000);
        add(site_.book.hello("two"));
        say("two");
        sync();
    }
    void goes_on_while_disks_are_busy() {
        say("one");
        record_.hold(".anel/journal/1");
        node_->sync(segment_, {site_.book.rounds()});
        record_.wait_held();
        say("two");
        say("two", 600);
        record_.release();
        sync();
        record_.hold("output.txt");
        node_->checkpoint(site_.book.snapshot());
        record_.wait_held();
        say("one");
        auto next = node_->rotate(segment_, {site_.book.rounds()}, 1);
        BOOST_REQUIRE_MESSAGE(next.has_value(), next.error().text);
        segment_ = *next;
        add(site_.book.bye("two"));
        record_.release();
        node_->wait_for_checkpoint();
        say("one", 900);
        sync();
        say("one");
    }
    /// The holder decides a round and does not write it, and another node is granted.
    void fenced() {
        const auto round = site_.book.message("one", "unwritten");
        BOOST_REQUIRE(node_->write_record(segment_, RoundRecord{round}).has_value());
        BOOST_REQUIRE(node_->decide(segment_, round.round).has_value());
        site_.book.decided(round, record_.now());
        auto old = std::exchange(node_, must_open(options_of(site_, 1, record_)));
        const auto old_segment = segment_;
        segment_ = must_grant(*node_, 1).segment;
        say("one", 100);
        BOOST_REQUIRE((old->write_record(old_segment, RoundRecord{round}).error().code == ErrorCode::fenced));
        add(site_.book.hello("two"));
        say("two");
        sync();
        must_checkpoint(*node_, site_.book);
        say("two", 1200);
    }
    /// The holder has written a record when another node is granted, and is fenced when it decides it.
    void restarted() {
        const auto stale = site_.book.message("one", "stale", 400);
        BOOST_REQUIRE(node_->write_record(segment_, RoundRecord{stale}).has_value());
        site_.book.tried(stale);
        auto old = std::exchange(node_, must_open(options_of(site_, 0, record_)));
        const auto old_segment = segment_;
        segment_ = must_grant(*node_, 2).segment;
        BOOST_REQUIRE((old->decide(old_segment, stale.round).error().code == ErrorCode::fenced));
        say("two");
        sync();
        say("one");
        auto next = node_->rotate(segment_, {site_.book.rounds()}, 1);
        BOOST_REQUIRE_MESSAGE(next.has_value(), next.error().text);
        segment_ = *next;
        say("one", 2000);
        must_checkpoint(*node_, site_.book);
        say("two");
        sync();
        say("one");
    }
    static void must_checkpoint(FileLedger& ledger, const Book& book) {
        ledger.checkpoint(book.snapshot());
        ledger.wait_for_checkpoint();
    }

    Site& site_;
    VolumeRecord& record_;
    std::unique_ptr<FileLedger> node_;
    SegmentNumber segment_;
};

class Campaign {
public:
    explicit Campaign(std::string adopted)
        : adopted_{std::move(adopted)}, site_{first_.path(), Book{with_line_feed(adopted_)}, 'A'} {
        const char* given = std::getenv("ANEL_POWER_CUT_SAMPLES");
        samples_ = given == nullptr ? 1 : std::stoul(given);
        if (!adopted_.empty()) {
            std::ofstream{first_.path() / "output.txt", std::ios::binary} << adopted_;
        }
    }
    /// Returns the number of different disks that were recovered.
    std::size_t run() {
        VolumeRecord record{site_.folder};
        Life{site_, record}.run();
        const auto stash = stash_.keep(site_.folder);
        for (std::size_t events = 0; events <= record.events().size(); ++events) {
            const PowerCut cut{record, events};
            const auto vouched = record.vouched(events);
            cut.for_each_outcome(dice_, samples_, [&](const PowerCut::Outcome& outcome) {
                auto image = cut.image(outcome);
                if (!seen_.emplace(vouched, hash_of(image)).second) {
                    return;
                }
                BOOST_TEST_CONTEXT("power cut behind event "
                                   << events << " of " << record.events().size()
                                   << ", with these changes on the disk: " << describe(outcome)) {
                    one_disk(image, stash, site_.book, vouched, events);
                }
            });
        }
        return seen_.size() + second_;
    }

private:
    static std::string with_line_feed(const std::string& text) {
        return text.empty() || text.ends_with('\n') ? text : text + "\n";
    }
    void one_disk(const Image& image, const std::filesystem::path& output, const Book& book, std::uint64_t vouched,
                  std::size_t events) {
        materialise(image, disk_.path(), output);
        Site site{disk_.path(), book, 'A'};
        if (dice_.once_in(12)) {
            VolumeRecord record{site.folder};
            ++site.boot_name;
            recover(site, vouched, events, record);
            const Book book_then = site.book;
            reboot_and_audit(site);
            cut_again(record, book_then, vouched);
        } else {
            QuickDisk files;
            ++site.boot_name;
            recover(site, vouched, events, files);
            reboot_and_audit(site);
        }
    }
    /// A power cut during the recovery or behind it.
    void cut_again(const VolumeRecord& record, const Book& book, std::uint64_t vouched) {
        const auto output = stash_.keep(disk_.path());
        for (int count = 0; count < 4; ++count) {
            const auto events = dice_.roll(record.events().size() + 1);
            const PowerCut cut{record, events};
            PowerCut::Outcome outcome;
            for (const auto& doubt : cut.doubts()) {
                outcome.push_back(dice_.roll(doubt.changes.size() + 1));
            }
            BOOST_TEST_CONTEXT("a second cut behind event " << events << ": " << describe(outcome)) {
                materialise(cut.image(outcome), disk_.path(), output);
                Site site{disk_.path(), book, 'E'};
                QuickDisk files;
                recover(site, std::max(vouched, record.vouched(events)), 0, files);
                reboot_and_audit(site);
                ++second_;
            }
        }
        std::filesystem::remove_all(output);
    }

    std::string adopted_;
    Folder first_;
    Stash stash_;
    Folder disk_;
    Site site_;
    anel::testing::Dice dice_{anel::testing::seed()};
    std::size_t samples_ = 0;
    std::size_t second_ = 0;
    std::set<std::pair<std::uint64_t, std::size_t>> seen_;
};

void campaign(const std::string& adopted, std::size_t least) {
    ANEL_TELL_SEED();
    const auto disks = Campaign{adopted}.run();
    fmt::print("{} different disks after power cuts were recovered (ANEL_SEED={})\n", disks, anel::testing::seed());
    BOOST_TEST(disks >= least);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(after_a_power_cut)

BOOST_AUTO_TEST_CASE(at_any_point_with_any_part_of_what_was_not_synced_the_ledger_goes_on) { campaign("", 1000); }

BOOST_AUTO_TEST_CASE(behind_an_adopted_output_that_ends_without_a_line_feed_before_the_end_of_a_block) {
    campaign(std::string((std::size_t{1} << 20U) - 3000, 'x'), 300);
}

BOOST_AUTO_TEST_SUITE_END()

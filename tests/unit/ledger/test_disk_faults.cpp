// Every call that a ledger makes fails in every way: it refuses and goes on, or ends with its reason, or puts a checkpoint
// off. It never vouches for what a failed sync lost, and the next node and the next power cut find all the rest.
#include <fmt/format.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>

#include "tests/unit/ledger/power_cut.hpp"
#include "tests/unit/ledger/site.hpp"

using namespace anel;
using namespace anel::test;

namespace {

/// A node as the daemon drives its ledger: `disk_full` is refused and tried again, anything else is its end.
class Driver {
public:
    Driver(Site& site, VolumeRecord& record) : site_{site}, record_{record} {}

    /// Returns why the node ended; none: it came to the end of its work.
    std::optional<Error> run() {
        const bool done = open() && granted() && say(0) && say(700) && durable() && say(0) && checkpoint() &&
                          rotated() && say(3000) && durable() && checkpoint() && granted() && say(0) && durable() &&
                          checkpoint();
        if (node_) {
            node_->wait_for_checkpoint();
        }
        return done ? std::nullopt : error_;
    }
    [[nodiscard]] std::size_t refused() const { return refused_; }
    [[nodiscard]] std::size_t put_off() const { return put_off_; }

private:
    bool ended(const Error& error) {
        error_ = error;
        return false;
    }
    /// Space comes back when it was asked for a third time.
    bool again(const Error& error) {
        if (error.code != ErrorCode::disk_full) {
            return ended(error);
        }
        if (++refused_ % 3 == 0) {
            record_.heal();
        }
        return true;
    }
    bool open() {
        auto options = options_of(site_, 0, record_);
        options.durable = [this](const tl::expected<Round, Error>& round) {
            if (round) {
                record_.vouch(round->value);
            } else {
                sync_error_ = round.error();
                sync_failed_ = true;
            }
        };
        auto opened = FileLedger::open(options);
        if (!opened) {
            return ended(opened.error());
        }
        node_ = std::move(*opened);
        return true;
    }
    bool granted() {
        while (true) {
            auto grant = node_->grant(epoch_);
            if (grant) {
                segment_ = grant->segment;
                epoch_ = grant->epoch;
                return true;
            }
            if (!again(grant.error())) {
                return false;
            }
        }
    }
    bool rotated() {
        while (true) {
            auto next = node_->rotate(segment_, {site_.book.rounds()}, 1);
            if (next) {
                segment_ = *next;
                return true;
            }
            if (next.error().code == ErrorCode::fenced) {
                return granted();  // the view ends
            }
            if (!again(next.error())) {
                return false;
            }
        }
    }
    bool say(std::size_t filler) {
        if (site_.book.rounds() == 0 && !add(site_.book.hello("one"))) {
            return false;
        }
        return add(site_.book.message("one", "a", filler));
    }
    bool add(const RoundRecord& round) {
        while (true) {
            auto done = add_round(*node_, segment_, round, site_.book, record_);
            if (done || !again(done.error())) {
                return done.has_value();
            }
            BOOST_REQUIRE_LT(site_.book.rounds(), round.round.value);  // refused, so not decided
        }
    }
    bool durable() {
        node_->sync(segment_, {site_.book.rounds()});
        while (!sync_failed_) {
            auto words = node_->words(segment_);
            if (!words) {
                return ended(words.error());
            }
            if (words->durable.value == site_.book.rounds()) {
                return true;
            }
            std::this_thread::yield();
        }
        return ended(sync_error_);
    }
    bool checkpoint() {
        node_->checkpoint(site_.book.snapshot());
        node_->wait_for_checkpoint();
        if (sync_failed_) {
            return ended(sync_error_);
        }
        const auto path = site_.folder / ".anel/checkpoint" / std::to_string(site_.book.rounds());
        put_off_ += std::filesystem::exists(path) ? 0 : 1;
        return true;
    }

    Site& site_;
    VolumeRecord& record_;
    std::atomic<bool> sync_failed_{false};
    Error sync_error_;
    std::unique_ptr<FileLedger> node_;
    Epoch epoch_;
    SegmentNumber segment_;
    std::optional<Error> error_;
    std::size_t refused_ = 0;
    std::size_t put_off_ = 0;
};

/// What each of these calls is known to fail with.
std::vector<std::pair<int, Fault::How>> ways_of(Call call) {
    using How = Fault::How;
    switch (call) {
        case Call::write:
            return {{ENOSPC, How::once},
                    {ENOSPC, How::half},
                    {EDQUOT, How::lasting},
                    {EIO, How::half},
                    {EROFS, How::lasting}};
        case Call::reserve:
            return {{ENOSPC, How::once}, {ENOSPC, How::lasting}, {EDQUOT, How::lasting}, {EIO, How::once}};
        case Call::open:
        case Call::make_folder:
        case Call::link: return {{ENOSPC, How::lasting}, {EDQUOT, How::once}, {EIO, How::once}, {EROFS, How::lasting}};
        case Call::sync: return {{EIO, How::once}, {ENOSPC, How::once}, {EDQUOT, How::lasting}};
        case Call::rename:
        case Call::unlink: return {{EIO, How::once}, {EROFS, How::lasting}};
    }
    return {};
}

std::string name_of(Call call) {
    switch (call) {
        case Call::open: return "O_TMPFILE";
        case Call::make_folder: return "mkdir";
        case Call::write: return "write";
        case Call::reserve: return "fallocate";
        case Call::sync: return "fsync";
        case Call::link: return "link";
        case Call::unlink: return "unlink";
        case Call::rename: return "rename";
    }
    return "";
}

struct Sum {
    std::size_t faults = 0, went_on = 0, refused = 0, put_off = 0, ended = 0;
};

/// The error says what went wrong in one line, and is one of those that end a node.
void check_end(const Error& error, const Fault& fault, Call call) {
    const bool space = fault.error == ENOSPC || fault.error == EDQUOT;
    const std::set<ErrorCode> known{ErrorCode::sync_failed, ErrorCode::io_failed, ErrorCode::folder_unusable};
    BOOST_TEST(known.contains(error.code), error.text);
    BOOST_TEST(error.text.find('\n') == std::string::npos);
    if (call != Call::sync) {
        BOOST_TEST((error.code != ErrorCode::sync_failed), error.text);
    }
    const bool told = error.text.find(std::strerror(fault.error)) != std::string::npos ||
                      (space && error.text.find("full disk") != std::string::npos) ||
                      (fault.error == EROFS && error.text.find("read-only") != std::string::npos);
    BOOST_TEST(told, error.text);
}

void one_fault(const Fault& fault, Call call, anel::testing::Dice& dice, Sum& sum) {
    const Folder first;
    const Folder disk;
    Stash stash;
    Site site{first.path(), Book{""}, 'A'};
    VolumeRecord record{site.folder};
    record.fail(fault);
    {
        Driver driver{site, record};
        const auto error = driver.run();
        if (error) {
            check_end(*error, fault, call);
        }
        ++sum.faults;
        sum.ended += error ? 1 : 0;
        sum.refused += driver.refused() > 0 ? 1 : 0;
        sum.put_off += driver.put_off() > 0 ? 1 : 0;
        sum.went_on += error ? 0 : 1;
    }
    BOOST_TEST(!record.synced_again());
    record.heal();
    // The next node, on the same machine; then the power goes.
    recover(site, record.vouched(record.now()), record.now(), record);
    const auto output = stash.keep(site.folder);
    for (const auto kind : {0, 1, 2}) {
        const PowerCut cut{record, record.events().size()};
        PowerCut::Outcome outcome;
        for (const auto& doubt : cut.doubts()) {
            outcome.push_back(kind == 0 ? 0 : dice.roll(doubt.changes.size() + 1));
        }
        materialise(cut.image(outcome), disk.path(), output);
        Site after{disk.path(), site.book, 'B'};
        QuickDisk files;
        recover(after, record.vouched(record.now()), record.now(), files);
        reboot_and_audit(after);
    }
}

std::vector<Call> calls_of_a_healthy_life() {
    const Folder folder;
    Site site{folder.path(), Book{""}, 'A'};
    VolumeRecord record{site.folder};
    Driver driver{site, record};
    const auto error = driver.run();
    BOOST_REQUIRE(!error);
    BOOST_REQUIRE_EQUAL(driver.refused() + driver.put_off(), 0U);
    return record.calls();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(disk_faults)

BOOST_AUTO_TEST_CASE(each_call_fails_in_each_way_and_nothing_vouched_for_is_lost) {
    ANEL_TELL_SEED();
    anel::testing::Dice dice{anel::testing::seed()};
    const auto calls = calls_of_a_healthy_life();
    Sum sum;
    for (std::size_t call = 0; call < calls.size(); ++call) {
        for (const auto& [error, how] : ways_of(calls[call])) {
            BOOST_TEST_CONTEXT("call " << call << ", " << name_of(calls[call]) << ": " << std::strerror(error)
                                       << (how == Fault::How::once   ? " once"
                                           : how == Fault::How::half ? " half"
                                                                     : "")) {
                one_fault({call, error, how}, calls[call], dice, sum);
            }
        }
    }
    fmt::print(
        "{} faults of the disk: {} nodes ended, {} went on; {} had refused rounds, {} put a checkpoint off "
        "(ANEL_SEED={})\n",
        sum.faults, sum.ended, sum.went_on, sum.refused, sum.put_off, anel::testing::seed());
    BOOST_TEST(sum.faults > 300U);
    BOOST_TEST(sum.ended > 100U);
    BOOST_TEST(sum.refused > 30U);
    BOOST_TEST(sum.put_off > 10U);
}

BOOST_AUTO_TEST_SUITE_END()

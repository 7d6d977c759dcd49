// output.txt's name goes to each new file once, whoever sleeps, dies or is late anywhere on the way.
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>

#include "ring/ledger/audit.hpp"
#include "ring/ledger/output.hpp"
#include "ring/ledger/repair.hpp"
#include "tests/unit/ledger/mortal.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;
namespace fs = std::filesystem;

namespace {

/// Once it is told to: in front of the n-th call that changes the volume, something else happens.
class Drowsy : public HookedFiles {
public:
    void sleep_before(int calls, std::function<void()> meanwhile) {
        meanwhile_ = std::move(meanwhile);
        left_ = calls;
    }

private:
    void before_change() override {
        if (meanwhile_ && left_.fetch_sub(1) == 0) meanwhile_();
    }
    std::atomic<int> left_ = 0;
    std::function<void()> meanwhile_;
};

/// Something is looked at in front of each rename.
class AtRename : public FileSystem {
public:
    explicit AtRename(std::function<void()> look) : look_{std::move(look)} {}
    int rename(int folder, const char* from, const char* name) override {
        look_();
        return FileSystem::rename(folder, from, name);
    }

private:
    std::function<void()> look_;
};

std::string content_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// Follows a name as `tail -F` does, and is quick: it sees every file that ever has it.
class NameReader {
public:
    explicit NameReader(fs::path file) : file_{std::move(file)} {}
    void look() {
        const auto identity = identity_of(Descriptor{::open(file_.c_str(), O_RDONLY | O_CLOEXEC)}.get(), "output.txt");
        BOOST_REQUIRE(identity.has_value());
        if (seen_.empty() || seen_.back() != identity->inode) {
            BOOST_TEST(std::count(seen_.begin(), seen_.end(), identity->inode) == 0, "the name went back");
            seen_.push_back(identity->inode);
        }
    }
    [[nodiscard]] std::size_t files() const { return seen_.size(); }

private:
    fs::path file_;
    std::vector<std::uint64_t> seen_;
};

/// Another node takes over, goes on in two more files, makes a checkpoint, and the operator removes the oldest file.
struct Meanwhile {
    const Folder& folder;
    NameReader& name;
    std::uint64_t round = 0;  ///< the last one
    void operator()() {
        auto other = must_open(options_for(folder, 1));
        const auto tip = other->read({0})->tip;
        auto segment = must_grant(*other, tip.epoch.value).segment;
        round = tip.round.value;
        for (int file = 0; file < 2; ++file) {
            name.look();
            must_append(*other, segment, make_round(++round));
            auto next = other->rotate(segment, {round}, 1);
            BOOST_REQUIRE_MESSAGE(next.has_value(), next.error().text);
            segment = *next;
            name.look();
        }
        must_append(*other, segment, make_round(++round));
        must_sync(*other, segment, round);
        must_checkpoint(*other, round);
        fs::remove(folder.path() / "output.000001.txt");
    }
};

std::vector<std::string> names_in(const Folder& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{folder.path()}) {
        names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// A node sleeps in front of call `calls` of what `work` does. @return whether there were so many calls.
bool sleeps(int calls, const std::function<Result<void>(FileLedger&, SegmentNumber)>& work) {
    const Folder folder;
    NameReader name{folder.path() / "output.txt"};
    {
        auto first = must_open(options_for(folder, 2));
        const auto grant = must_grant(*first, 0);
        must_append(*first, grant.segment, make_round(1));
    }
    name.look();
    Meanwhile meanwhile{folder, name};
    bool asleep = false;
    Drowsy files;
    auto options = options_for(folder);
    options.files = &files;
    auto slow = must_open(options);
    const auto segment = must_grant(*slow, slow->read({0})->tip.epoch.value).segment;
    files.sleep_before(calls, [&] {
        asleep = true;
        meanwhile();
    });
    const auto done = work(*slow, segment);
    name.look();
    if (!asleep) {
        return false;
    }
    if (!done) {
        BOOST_TEST((done.error().code == ErrorCode::fenced), done.error().text);
    }
    // Whoever comes next finds all, and the name of the newest.
    slow.reset();
    auto next = must_open(options_for(folder, 2));
    const auto found = next->read({0})->tip;
    BOOST_TEST(found.round.value == meanwhile.round);
    must_append(*next, must_grant(*next, found.epoch.value).segment, make_round(meanwhile.round + 1));
    must_checkpoint(*next, meanwhile.round + 1);
    name.look();
    const auto report = audit(folder.path());
    BOOST_TEST(!report->difference, *report->difference);
    BOOST_TEST(folder.output().ends_with(text_of(meanwhile.round) + text_of(meanwhile.round + 1)));
    BOOST_TEST(name.files() == report->files + report->removed_files);
    return true;
}

/// A holder dies there on its way to a new file, with the power: the journal was synced, the output was not.
void power_goes_at(const std::string& point, bool repaired) {
    const Folder folder;
    const int code = in_process([&] {
        auto options = options_for(folder);
        options.boot = boot('A');
        auto ledger = must_open(options);
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_append(*ledger, grant.segment, make_round(2));
        static_cast<void>(fail_points::arm(point + "=exit"));
        static_cast<void>(ledger->rotate(grant.segment, {2}, 1));
        return 0;
    });
    BOOST_TEST(code == died);
    const auto named = folder.path() / "output.txt";
    const auto whole = text_of(1) + text_of(2);
    fs::resize_file(named, 10);
    if (repaired) {
        const auto report = repair({.folder = folder.path(),
                                    .mode = RepairMode::rewrite,
                                    .dry_run = false,
                                    .files = nullptr,
                                    .boot = boot('B')});
        BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
        BOOST_TEST(content_of(named) == whole);
    }
    int renames = 0;
    AtRename files{[&] {
        BOOST_TEST(content_of(named) == whole);
        ++renames;
    }};
    auto options = options_for(folder, 1);
    options.boot = boot('B');
    options.files = &files;
    auto ledger = must_open(options);
    const auto tip = ledger->read({0})->tip;
    BOOST_TEST(tip.round.value == 2U);
    BOOST_TEST(renames == 0);
    const auto grant = must_grant(*ledger, tip.epoch.value);
    BOOST_TEST(renames == 1);
    must_append(*ledger, grant.segment, make_round(3));
    BOOST_TEST(content_of(named) == text_of(3));
    BOOST_TEST(folder.output() == whole + text_of(3));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rotation_names)

BOOST_AUTO_TEST_CASE(a_holder_that_sleeps_at_any_call_of_its_rotation_takes_no_name_from_a_newer_file) {
    int calls = 0;
    const auto rotate = [](FileLedger& ledger, SegmentNumber segment) -> Result<void> {
        auto next = ledger.rotate(segment, {1}, 1);
        return next ? Result<void>{} : tl::unexpected<Error>{next.error()};
    };
    while (true) {
        BOOST_TEST_CONTEXT("asleep in front of call " << calls) {
            if (!sleeps(calls, rotate)) break;
        }
        ++calls;
    }
    BOOST_TEST(calls > 15);
}

BOOST_AUTO_TEST_CASE(a_node_that_dies_at_any_call_of_its_rotation_leaves_it_to_the_next) {
    int code = died;
    for (int calls = 0; code != 0; ++calls) {
        BOOST_TEST_CONTEXT("dead in front of call " << calls) {
            const Folder folder;
            NameReader name{folder.path() / "output.txt"};
            SegmentNumber segment;
            {
                auto first = must_open(options_for(folder));
                segment = must_grant(*first, 0).segment;
                must_append(*first, segment, make_round(1));
                must_sync(*first, segment, 1);
            }
            name.look();
            code = in_process([&] {
                Mortal files{calls, Cut::within_write};
                auto options = options_for(folder);
                options.files = &files;
                auto ledger = FileLedger::open(options);
                if (!ledger) return 1;
                auto next = (*ledger)->rotate(segment, {1}, 1);
                return next && append(**ledger, *next, make_round(2)) ? 0 : 2;
            });
            BOOST_REQUIRE((code == 0 || code == died));
            BOOST_REQUIRE(calls < 200);
            auto next = must_open(options_for(folder, 1));
            const auto tip = next->read({0})->tip;
            auto grant = must_grant(*next, tip.epoch.value);
            must_append(*next, grant.segment, make_round(tip.round.value + 1));
            auto further = next->rotate(grant.segment, {tip.round.value + 1}, 1);
            BOOST_REQUIRE_MESSAGE(further.has_value(), further.error().text);
            must_append(*next, *further, make_round(tip.round.value + 2));
            must_checkpoint(*next, tip.round.value + 2);
            name.look();
            const auto report = audit(folder.path());
            BOOST_TEST(!report->difference, *report->difference);
            std::string expected;
            for (std::uint64_t round = 1; round <= tip.round.value + 2; ++round) {
                expected += text_of(round);
            }
            BOOST_TEST(folder.output() == expected);
            // What the dead one left that never became output.txt is gone with the checkpoint.
            for (const auto& one : names_in(folder)) {
                BOOST_TEST(!one.starts_with(".output."), one);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(behind_a_power_cut_a_torn_file_is_whole_again_before_its_name_passes) {
    for (const char* point : {"grant.linked", "output.before_turn"}) {
        BOOST_TEST_CONTEXT(point) { power_goes_at(point, false); }
    }
    // A repair before the ring starts again writes, and leaves the name to the ring.
    power_goes_at("output.before_turn", true);
}

BOOST_AUTO_TEST_CASE(a_file_in_the_way_is_named_before_anything_is_sealed) {
    const Folder folder;
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    must_append(*ledger, grant.segment, make_round(1));
    std::ofstream{folder.path() / "output.000001.txt"} << "mine";
    const auto refused = ledger->rotate(grant.segment, {1}, 1);
    BOOST_TEST((refused.error().code == ErrorCode::outside_hands));
    BOOST_TEST(refused.error().text.find("output.000001.txt is in the way") != std::string::npos, refused.error().text);
    BOOST_TEST(refused.error().text.find('\n') == std::string::npos);
    fs::remove(folder.path() / "output.000001.txt");
    BOOST_TEST(ledger->rotate(grant.segment, {1}, 1).has_value());
}

BOOST_AUTO_TEST_CASE(a_series_that_is_gone_is_missed_and_nothing_is_accepted_in_its_place) {
    const Folder folder;
    {
        auto ledger = must_open(options_for(folder));
        auto segment = must_grant(*ledger, 0).segment;
        for (std::uint64_t round = 1; round <= 3; ++round) {
            must_append(*ledger, segment, make_round(round));
            segment = *ledger->rotate(segment, {round}, 1);
        }
        must_append(*ledger, segment, make_round(4));
    }
    fs::rename(folder.path() / ".anel/series", folder.path() / "kept");
    const auto opened = FileLedger::open(options_for(folder));
    BOOST_REQUIRE(!opened);
    BOOST_TEST(opened.error().text.find(".anel/series was removed or shortened") != std::string::npos,
               opened.error().text);
    const auto repaired =
        repair({.folder = folder.path(), .mode = RepairMode::adopt, .dry_run = false, .files = nullptr, .boot = {}});
    BOOST_REQUIRE(!repaired);
    BOOST_TEST((repaired.error().code == ErrorCode::ledger_damaged), repaired.error().text);
    fs::rename(folder.path() / "kept", folder.path() / ".anel/series");
    static_cast<void>(must_open(options_for(folder)));
}

BOOST_AUTO_TEST_CASE(a_member_goes_on_in_the_file_that_a_holder_made_and_did_not_name) {
    const Folder folder;
    auto member = must_open(options_for(folder, 1));
    SegmentNumber segment;
    const int code = in_process([&] {
        static_cast<void>(fail_points::arm("output.before_turn=exit"));
        auto ledger = must_open(options_for(folder));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        static_cast<void>(ledger->rotate(grant.segment, {1}, 1));
        return 0;
    });
    BOOST_TEST(code == died);
    BOOST_TEST(member->read({0})->tip.round.value == 1U);
    const auto grant = must_grant(*member, 1);
    must_append(*member, grant.segment, make_round(2));
    BOOST_TEST(content_of(folder.path() / "output.txt") == text_of(2));
    BOOST_TEST(folder.output() == text_of(1) + text_of(2));
}

BOOST_AUTO_TEST_SUITE_END()

// The order of the calls that a power cut could tell apart: what is vouched for, or built on, is synced before.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <mutex>
#include <thread>

#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {

using Calls = std::vector<std::string>;

/// Writes down each call that makes something durable, gives or takes a name, or writes to output.txt.
class Recorder : public FileSystem {
public:
    ssize_t write(int fd, const iovec* pieces, int count, off_t offset) override {
        if (name_of(fd) == "output.txt") note("write output.txt");
        return FileSystem::write(fd, pieces, count, offset);
    }
    int fdatasync(int fd) override {
        note("sync " + name_of(fd));
        return FileSystem::fdatasync(fd);
    }
    int fsync(int fd) override {
        note("sync " + name_of(fd));
        return FileSystem::fsync(fd);
    }
    int link(int fd, int folder, const char* name) override {
        note("link " + name_of(folder) + "/" + name);
        return FileSystem::link(fd, folder, name);
    }
    int unlink(int folder, const char* name) override {
        note("unlink " + name_of(folder) + "/" + name);
        return FileSystem::unlink(folder, name);
    }
    int shorten(int fd, off_t bytes) override {
        note("shorten " + name_of(fd));
        return FileSystem::shorten(fd, bytes);
    }
    [[nodiscard]] bool has(const std::string& call) {
        const std::scoped_lock guard{mutex_};
        return std::find(calls_.begin(), calls_.end(), call) != calls_.end();
    }
    [[nodiscard]] Calls take() {
        const std::scoped_lock guard{mutex_};
        return std::exchange(calls_, {});
    }

private:
    void note(std::string call) {
        const std::scoped_lock guard{mutex_};
        calls_.push_back(std::move(call));
    }
    /// The last part of the path; a file that has no name yet is `unnamed`, a segment is told from a checkpoint.
    static std::string name_of(int fd) {
        std::error_code ignored;
        const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored);
        const std::string name = path.filename().string();
        if (name.starts_with("#")) return "unnamed";
        const std::string folder = path.parent_path().filename().string();
        return folder == "journal" || folder == "checkpoint" ? folder + "/" + name : name;
    }
    std::mutex mutex_;
    Calls calls_;
};

/// Does something at the first sync of a segment, in front of it.
struct Interrupted : FileSystem {
    std::function<void()> in_front;
    int fdatasync(int fd) override {
        if (auto act = std::exchange(in_front, nullptr)) act();
        return FileSystem::fdatasync(fd);
    }
};

LedgerOptions with(const Folder& folder, FileSystem& files, std::uint64_t self) {
    auto options = options_for(folder, self);
    options.files = &files;
    return options;
}

/// Two nodes share segment 1, and round 1 is decided. `slow` syncs it, and while it does, `meanwhile` is done with the
/// other's ledger. @return what is durable then.
std::uint64_t durable_after(const std::function<void(FileLedger&, SegmentNumber)>& meanwhile) {
    const Folder folder;
    auto other = must_open(options_for(folder, 1));
    const auto segment = must_grant(*other, 0).segment;
    must_append(*other, segment, make_round(1));
    std::atomic<bool> told{false};
    Interrupted files;
    files.in_front = [&] { meanwhile(*other, segment); };
    auto options = with(folder, files, 0);
    options.durable = [&](const tl::expected<Round, Error>&) { told = true; };
    auto slow = must_open(options);
    slow->sync(segment, {1});
    while (!told) {
        std::this_thread::yield();
    }
    return other->words(segment)->durable.value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(the_order_of_calls)

BOOST_AUTO_TEST_CASE(a_grant_makes_durable_what_it_builds_on_before_it_has_a_name) {
    const Folder folder;
    auto holder = must_open(options_for(folder, 0));
    must_append(*holder, must_grant(*holder, 0).segment, make_round(1));
    Recorder files;
    auto candidate = must_open(with(folder, files, 1));
    static_cast<void>(files.take());
    static_cast<void>(must_grant(*candidate, 1));
    const Calls expected{"sync journal/1", "write output.txt", "sync unnamed",
                         "sync journal",   "link journal/2",   "sync journal"};
    BOOST_TEST(files.take() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_checkpoint_is_durable_before_what_it_replaces_goes) {
    const Folder folder;
    auto writer = must_open(options_for(folder, 0));
    auto segment = must_grant(*writer, 0).segment;
    must_append(*writer, segment, make_round(1));
    must_checkpoint(*writer, 1);
    segment = *writer->rotate(segment, {1}, std::nullopt);
    must_append(*writer, segment, make_round(2));
    must_append(*writer, segment, make_round(3));
    // Another node, whose descriptor of output.txt is younger than all that: it writes those rounds again.
    Recorder files;
    auto other = must_open(with(folder, files, 1));
    static_cast<void>(files.take());
    must_checkpoint(*other, 3);
    const Calls expected{"sync journal/2",      "write output.txt", "write output.txt",  "sync output.txt",
                         "sync journal",        "sync unnamed",     "link checkpoint/3", "sync checkpoint",
                         "unlink checkpoint/1", "unlink journal/1", "sync journal"};
    BOOST_TEST(files.take() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_trimmed_segment_has_lost_its_name_for_good_before_its_bytes_go) {
    const Folder folder;
    Recorder files;
    auto ledger = must_open(with(folder, files, 0));
    auto segment = must_grant(*ledger, 0).segment;
    // Three segments further: until then the first is kept open.
    for (std::uint64_t round = 1; round <= 3; ++round) {
        must_append(*ledger, segment, make_round(round));
        segment = *ledger->rotate(segment, {round}, std::nullopt);
    }
    static_cast<void>(files.take());
    must_append(*ledger, segment, make_round(4));
    must_checkpoint(*ledger, 4);
    const std::string cut = "shorten journal/1 (deleted)";
    while (!files.has(cut)) {
        std::this_thread::yield();
    }
    const auto calls = files.take();
    const auto removed = std::find(calls.begin(), calls.end(), "unlink journal/1");
    const auto synced = std::find(removed, calls.end(), "sync journal");
    BOOST_TEST((synced != calls.end() && synced < std::find(calls.begin(), calls.end(), cut)));
}

BOOST_AUTO_TEST_CASE(output_goes_to_the_disk_block_by_block_before_a_checkpoint_asks_for_it) {
    struct Began : FileSystem {
        std::vector<std::pair<off_t, off_t>> blocks;
        void start_write_back(int fd, off_t offset, off_t bytes) override {
            FileSystem::start_write_back(fd, offset, bytes);
            blocks.emplace_back(offset, bytes);
        }
    };
    constexpr off_t block = Output::write_back_bytes;
    const Folder folder;
    Began files;
    auto writer = must_open(with(folder, files, 0));
    const auto segment = must_grant(*writer, 0).segment;
    const auto quarter = Output::write_back_bytes / 4;
    std::uint64_t round = 0;
    while (folder.output().size() < Output::write_back_bytes) {
        BOOST_TEST(files.blocks.empty());
        must_append(*writer, segment, make_round(++round, "a", quarter));
    }
    must_append(*writer, segment, make_round(++round, "a", 9 * quarter));
    const std::vector<std::pair<off_t, off_t>> expected{{0, block}, {block, 2 * block}};
    BOOST_TEST((files.blocks == expected));
}

BOOST_AUTO_TEST_CASE(a_sync_vouches_only_for_what_was_decided_before_it_began) {
    std::atomic<bool> decided{false};
    const auto durable = durable_after(
        [&](FileLedger& other, SegmentNumber segment) { decided = append(other, segment, make_round(2)).has_value(); });
    BOOST_TEST(decided.load());
    BOOST_TEST(durable == 1U);
}

BOOST_AUTO_TEST_CASE(a_slow_sync_takes_nothing_back_that_a_quicker_one_vouched_for) {
    std::atomic<bool> decided{false};
    const auto durable = durable_after([&](FileLedger& other, SegmentNumber segment) {
        decided = append(other, segment, make_round(2)).has_value();
        other.sync(segment, {2});
        while (other.words(segment)->durable.value < 2) {
            std::this_thread::yield();
        }
    });
    BOOST_TEST(decided.load());
    BOOST_TEST(durable == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

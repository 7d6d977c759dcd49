#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

#include "client/outbox_file.hpp"

using namespace anel;
using namespace anel::client;

namespace {

/// Called once, before a lock is asked for: what happens to a process that is stopped just there.
std::function<void()> before_flock;
/// Everything that fsync was called for.
std::vector<std::filesystem::path> synced;
int fsync_error = 0;  ///< what the next one fails with

}  // namespace

// They stand in front of the C library's own.
extern "C" int flock(int file, int operation) noexcept {
    if (const auto once = std::exchange(before_flock, {})) once();
    return static_cast<int>(::syscall(SYS_flock, file, operation));
}
extern "C" int fsync(int file) {
    synced.push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file)));
    errno = std::exchange(fsync_error, 0);
    return errno != 0 ? -1 : static_cast<int>(::syscall(SYS_fsync, file));
}

namespace {

struct Folder {
    Folder() {
        std::string pattern = "/tmp/anel-outbox-XXXXXX";
        BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::filesystem::path file() const { return path / "outbox"; }
    std::filesystem::path path;
};

OutboxFile::Wanted wanted(std::string id = {}) {
    return {.client_id = std::move(id), .fresh_client_id = "fresh", .instance = 0, .fresh_instance = 77, .sync = false};
}

Blob frame(std::uint64_t first, const std::vector<std::string>& payloads) {
    std::vector<Message> messages;
    for (const auto& payload : payloads) messages.push_back({1, payload});
    return Blob::of(encode_push("tea", {77}, {first}, messages));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(outbox_file)

BOOST_AUTO_TEST_CASE(what_was_kept_comes_back_without_what_was_acked) {
    const Folder folder;
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox);
        BOOST_REQUIRE(outbox->keep(frame(42, {"a", "b"})));
        BOOST_REQUIRE(outbox->keep(frame(44, {"c", "d"})));
        BOOST_REQUIRE(outbox->forget({44}));
    }
    auto outbox = OutboxFile::open(folder.file(), wanted());
    BOOST_REQUIRE(outbox);
    BOOST_TEST(outbox->client_id() == "tea");
    BOOST_TEST(outbox->instance().value == 77U);
    BOOST_TEST(outbox->kept().sent.value == 45U);
    BOOST_TEST(outbox->kept().acked.value == 44U);
    BOOST_REQUIRE_EQUAL(outbox->kept().batches.size(), 1U);
    BOOST_TEST(outbox->kept().batches[0].first.value == 45U);
    BOOST_TEST(outbox->kept().batches[0].messages.at(0).second == "d");
}

BOOST_AUTO_TEST_CASE(a_batch_that_a_rewrite_holds_already_may_be_kept_once_more) {
    const Folder folder;
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox);
        BOOST_REQUIRE(outbox->replace({{9}, {5}, {KeptBatch{{6}, {{1, "x"}, {1, "y"}}}}}));
        BOOST_REQUIRE(outbox->keep(frame(6, {"x", "y"})));
        BOOST_REQUIRE(outbox->keep(frame(8, {"z"})));
    }
    auto outbox = OutboxFile::open(folder.file(), wanted());
    BOOST_REQUIRE(outbox);
    BOOST_TEST(outbox->kept().acked.value == 5U);
    BOOST_REQUIRE_EQUAL(outbox->kept().batches.size(), 2U);
    BOOST_TEST(outbox->kept().batches[1].first.value == 8U);
}

BOOST_AUTO_TEST_CASE(a_torn_record_at_the_end_is_dropped_wherever_it_is_cut) {
    const Folder folder;
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox->keep(frame(1, {"a"})));
    }
    const auto good = std::filesystem::file_size(folder.file());
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox->keep(frame(2, {"b"})));
    }
    const auto whole = std::filesystem::file_size(folder.file());
    for (auto size = whole - 1; size >= good; --size) {
        std::filesystem::resize_file(folder.file(), size);
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox);
        BOOST_TEST(outbox->kept().sent.value == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_record_with_one_wrong_byte_is_dropped_wherever_it_stands) {
    const Folder folder;
    std::size_t good = 0;
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox->keep(frame(1, {"a"})));
        good = std::filesystem::file_size(folder.file());
        BOOST_REQUIRE(outbox->keep(frame(2, {"b"})));
    }
    std::ifstream file{folder.file(), std::ios::binary};
    const std::string whole{std::istreambuf_iterator<char>{file}, {}};
    for (auto at = good; at < whole.size(); ++at) {
        auto rotten = whole;
        rotten[at] = static_cast<char>(rotten[at] ^ 1);
        std::ofstream{folder.file(), std::ios::binary | std::ios::trunc} << rotten;
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox);
        BOOST_TEST(outbox->kept().sent.value == 1U, "byte " << at - good << " of the record");
    }
}

BOOST_AUTO_TEST_CASE(a_rewritten_outbox_says_the_same) {
    const Folder folder;
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox->replace({{9}, {5}, {KeptBatch{{6}, {{1, "x"}, {2, "y"}}}}}));
        BOOST_REQUIRE(outbox->keep(frame(8, {"z"})));
    }
    auto outbox = OutboxFile::open(folder.file(), wanted());
    BOOST_REQUIRE(outbox);
    BOOST_TEST(outbox->kept().sent.value == 9U);
    BOOST_TEST(outbox->kept().acked.value == 5U);
    BOOST_TEST(outbox->kept().batches.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_birth_of_the_session_comes_back_also_from_a_rewritten_file) {
    const Folder folder;
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_TEST(outbox->kept().birth.value == 0U);
        BOOST_REQUIRE(outbox->keep_birth({5}));
        BOOST_REQUIRE(outbox->keep_birth({6}));
        BOOST_REQUIRE(outbox->keep(frame(1, {"a"})));
    }
    {
        auto outbox = OutboxFile::open(folder.file(), wanted());
        BOOST_TEST(outbox->kept().birth.value == 6U);
        BOOST_REQUIRE(outbox->replace(outbox->kept()));
    }
    auto outbox = OutboxFile::open(folder.file(), wanted());
    BOOST_TEST(outbox->kept().birth.value == 6U);
    BOOST_TEST(outbox->kept().sent.value == 1U);
    BOOST_REQUIRE(outbox->renew({78}));
    { const auto closed = std::move(*outbox); }
    BOOST_TEST(OutboxFile::open(folder.file(), wanted())->kept().birth.value == 0U);
}

BOOST_AUTO_TEST_CASE(a_renewed_outbox_is_an_empty_one_of_another_instance) {
    const Folder folder;
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE(outbox->keep(frame(1, {"a"})));
        BOOST_REQUIRE(outbox->forget({1}));
        BOOST_REQUIRE(outbox->renew({78}));
    }
    auto outbox = OutboxFile::open(folder.file(), wanted());
    BOOST_REQUIRE(outbox);
    BOOST_TEST(outbox->instance().value == 78U);
    BOOST_TEST(outbox->client_id() == "tea");
    BOOST_TEST(outbox->kept().sent.value == 0U);
    BOOST_TEST(outbox->kept().acked.value == 0U);
}

BOOST_AUTO_TEST_CASE(others_files_ids_and_users_are_refused) {
    const Folder folder;
    auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
    BOOST_REQUIRE(outbox);
    BOOST_TEST(!OutboxFile::open(folder.file(), wanted("tea")).has_value());  // in use
    { const auto closed = std::move(*outbox); }
    BOOST_TEST(!OutboxFile::open(folder.file(), wanted("coffee")).has_value());
    std::ofstream{folder.path / "text"} << "hello, this is some text of somebody else";
    BOOST_TEST(!OutboxFile::open(folder.path / "text", wanted()).has_value());
    BOOST_TEST(std::filesystem::file_size(folder.path / "text") > 0U);  // and not touched
}

BOOST_AUTO_TEST_CASE(a_lock_that_its_owner_has_removed_keeps_nobody_out_and_is_asked_for_again) {
    const Folder folder;
    std::optional<OutboxFile> first{OutboxFile::open(folder.file(), wanted("tea")).value()};
    before_flock = [&] {
        first->remove();
        first.reset();
    };
    const auto second = OutboxFile::open(folder.file(), wanted("tea"));
    BOOST_TEST(!before_flock);
    BOOST_REQUIRE(second);
    BOOST_TEST(!OutboxFile::open(folder.file(), wanted("tea")).has_value());
}

BOOST_AUTO_TEST_CASE(a_power_cut_leaves_a_synced_outbox_its_name) {
    const Folder folder;
    auto options = wanted("tea");
    options.sync = true;
    synced.clear();
    auto outbox = OutboxFile::open(folder.file(), options);
    BOOST_REQUIRE(outbox);
    BOOST_TEST((synced == std::vector{folder.path}));
    synced.clear();
    BOOST_REQUIRE(outbox->replace({{9}, {5}, {}}));
    BOOST_TEST((synced == std::vector{folder.path}));
    BOOST_TEST(!std::filesystem::exists(folder.file().string() + ".new"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_synced_is_told) {
    const Folder folder;
    auto options = wanted("tea");
    options.sync = true;
    auto outbox = OutboxFile::open(folder.file(), options);
    BOOST_REQUIRE(outbox);
    fsync_error = EIO;
    const auto replaced = outbox->replace({{9}, {5}, {}});
    BOOST_REQUIRE(!replaced);
    BOOST_TEST((replaced.error().code == ErrorCode::sync_failed));
    BOOST_TEST(replaced.error().text.find("its folder cannot be synced") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_rotten_record_with_good_ones_behind_it_is_refused_and_nothing_is_cut) {
    const Folder folder;
    std::vector<std::size_t> ends;
    {
        auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        ends.push_back(std::filesystem::file_size(folder.file()));
        BOOST_REQUIRE(outbox->keep(frame(1, {"a"})));
        ends.push_back(std::filesystem::file_size(folder.file()));
        BOOST_REQUIRE(outbox->forget({1}));
        ends.push_back(std::filesystem::file_size(folder.file()));
        BOOST_REQUIRE(outbox->keep(frame(2, {"b"})));
    }
    std::ifstream file{folder.file(), std::ios::binary};
    const std::string whole{std::istreambuf_iterator<char>{file}, {}};
    for (auto at = ends[0]; at < ends[2]; ++at) {
        auto rotten = whole;
        rotten[at] = static_cast<char>(rotten[at] ^ 0x55);
        std::ofstream{folder.file(), std::ios::binary | std::ios::trunc} << rotten;
        const auto outbox = OutboxFile::open(folder.file(), wanted("tea"));
        BOOST_REQUIRE_MESSAGE(!outbox, "byte " << at);
        const auto where = "the record at byte " + std::to_string(at < ends[1] ? ends[0] : ends[1]) + " is damaged";
        BOOST_TEST(outbox.error().text.find(where) != std::string::npos, outbox.error().text);
        BOOST_TEST(std::filesystem::file_size(folder.file()) == whole.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "client/outbox_file.hpp"

using namespace anel;
using namespace anel::client;

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

BOOST_AUTO_TEST_SUITE_END()

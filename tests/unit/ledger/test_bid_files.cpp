// Bids on the volume as files: they work or say that they do not, whatever became of the folder.
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <fstream>

#include "ring/ledger/bid_files.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
namespace fs = std::filesystem;

namespace {

struct Shared {
    test::Folder folder;
    FileSystem files;
    Shared() { fs::create_directories(folder.path() / ".anel"); }
    [[nodiscard]] BidFiles of(std::uint64_t node) { return {files, folder.path(), NodeId{node}}; }
    [[nodiscard]] fs::path place(std::uint64_t node) const {
        return folder.path() / ".anel/bids" / std::to_string(node);
    }
};

std::vector<Blob> chunks_of(std::size_t count, std::size_t bytes) {
    std::vector<Blob> chunks;
    for (std::size_t at = 0; at < count; ++at)
        chunks.push_back(Blob::copy(std::string(bytes, static_cast<char>('a' + at % 26))));
    return chunks;
}

std::string joined(const std::vector<Blob>& chunks) {
    std::string all;
    for (const auto& chunk : chunks) all += chunk.text();
    return all;
}

/// A disk on which one write finds room for half of what it brings.
struct AlmostFull : FileSystem {
    ssize_t write(int fd, const iovec* pieces, int, off_t offset) override {
        const iovec half{pieces->iov_base, pieces->iov_len / 2};
        return FileSystem::write(fd, &half, 1, offset);
    }
};
struct Full : FileSystem {
    ssize_t write(int, const iovec*, int, off_t) override {
        errno = ENOSPC;
        return -1;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(bid_files)

BOOST_AUTO_TEST_CASE(others_read_what_a_node_put_last_however_many_chunks_it_had) {
    Shared shared;
    auto bidder = shared.of(1);
    auto closer = shared.of(0);
    for (const std::size_t count : {200, 64, 65, 1}) {
        const auto chunks = chunks_of(count, 100);
        BOOST_REQUIRE(bidder.put(chunks));
        BOOST_TEST(closer.get(NodeId{1}, count * 100).text() == joined(chunks));
    }
    BOOST_TEST(closer.get(NodeId{1}, 1'000'000).size() == 20'000U);     // what the longest left
    BOOST_TEST(closer.get(NodeId{1}, SIZE_MAX / 2).size() == 20'000U);  // and no room for what a stranger makes up
    BOOST_TEST(closer.get(NodeId{2}, 1).empty());
}

BOOST_AUTO_TEST_CASE(a_place_that_was_removed_is_made_again) {
    Shared shared;
    auto bidder = shared.of(1);
    auto closer = shared.of(0);
    BOOST_REQUIRE(bidder.put(chunks_of(1, 10)));
    fs::remove(shared.place(1));
    BOOST_TEST(closer.get(NodeId{1}, 10).empty());
    BOOST_REQUIRE(bidder.put(chunks_of(1, 10)));
    BOOST_TEST(closer.get(NodeId{1}, 10).size() == 10U);
}

BOOST_AUTO_TEST_CASE(a_folder_that_was_removed_is_found_again_by_who_knew_the_old_one) {
    Shared shared;
    auto bidder = shared.of(1);
    auto closer = shared.of(0);
    BOOST_REQUIRE(bidder.put(chunks_of(1, 10)));
    fs::remove_all(shared.folder.path() / ".anel" / "bids");
    auto began_anew = shared.of(2);
    BOOST_REQUIRE(began_anew.put(chunks_of(1, 10)));
    BOOST_TEST(closer.get(NodeId{2}, 10).size() == 10U);
    BOOST_REQUIRE(bidder.put(chunks_of(1, 10)));
    BOOST_TEST(began_anew.get(NodeId{1}, 10).size() == 10U);
}

BOOST_AUTO_TEST_CASE(where_nothing_can_be_placed_put_says_so) {
    Shared shared;
    AlmostFull almost_full;
    Full full;
    BOOST_TEST(!(BidFiles{almost_full, shared.folder.path(), NodeId{1}}.put(chunks_of(1, 10))));
    BOOST_TEST(!(BidFiles{full, shared.folder.path(), NodeId{1}}.put(chunks_of(1, 10))));
    auto bidder = shared.of(1);
    fs::remove_all(shared.folder.path() / ".anel");
    BOOST_TEST(!bidder.put(chunks_of(1, 10)));
    BOOST_TEST(!shared.of(2).put(chunks_of(1, 10)));
    std::ofstream{shared.folder.path() / ".anel"} << "no folder";
    BOOST_TEST(!shared.of(2).put(chunks_of(1, 10)));
}

BOOST_AUTO_TEST_SUITE_END()

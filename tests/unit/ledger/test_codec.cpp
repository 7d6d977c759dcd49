// Checksums, headers and records: the bytes themselves.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <random>

#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/file_header.hpp"
#include "ring/ledger/record.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {
Bytes random_bytes(std::mt19937_64& random, std::size_t length) {
    Bytes bytes(length);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::byte>(random()); });
    return bytes;
}
}  // namespace

BOOST_AUTO_TEST_SUITE(the_bytes)

BOOST_AUTO_TEST_CASE(checksums_agree_with_rfc_3720) {
    Bytes rising(32);
    for (std::size_t index = 0; index < rising.size(); ++index) {
        rising[index] = static_cast<std::byte>(index);
    }
    Bytes falling{rising.rbegin(), rising.rend()};
    const std::pair<Bytes, std::uint32_t> vectors[] = {{Bytes(32), 0x8a9136aaU},
                                                       {Bytes(32, std::byte{0xff}), 0x62a8ab43U},
                                                       {rising, 0x46dd794eU},
                                                       {falling, 0x113fdb5cU}};
    for (const auto& [bytes, expected] : vectors) {
        BOOST_TEST(crc32c(bytes) == expected);
        BOOST_TEST(crc32c_by_table(bytes) == expected);
    }
    BOOST_TEST(crc32c(as_bytes("123456789")) == 0xe3069283U);
}

BOOST_AUTO_TEST_CASE(instruction_table_parts_and_joins_agree) {
    std::mt19937_64 random{1};
    for (int turn = 0; turn < 200; ++turn) {
        const auto bytes = random_bytes(random, random() % 5000);
        const std::size_t cut = bytes.empty() ? 0 : random() % bytes.size();
        const auto left = BytesView{bytes}.first(cut);
        const auto right = BytesView{bytes}.subspan(cut);
        const auto whole = crc32c(bytes);
        BOOST_TEST(crc32c_by_table(bytes) == whole);
        BOOST_TEST(crc32c(right, crc32c(left)) == whole);
        BOOST_TEST(crc32c_joined(crc32c(left), crc32c(right), right.size()) == whole);
    }
}

BOOST_AUTO_TEST_CASE(block_sums_are_the_same_from_checksums_and_from_bytes) {
    std::mt19937_64 random{2};
    BlockSums by_bytes{0, 0};
    BlockSums mixed{0, 0};
    Bytes all;
    while (all.size() < 3 * block_bytes) {
        const auto bytes = random_bytes(random, random() % 200'000);
        all.insert(all.end(), bytes.begin(), bytes.end());
        BOOST_TEST(by_bytes.add(bytes) == crc32c(bytes));
        if (mixed.fits(bytes.size())) {
            mixed.add(crc32c(bytes), bytes.size());
        } else {
            mixed.add(bytes);
        }
    }
    BOOST_TEST(by_bytes.finished() == mixed.finished());
    BOOST_TEST(by_bytes.partial() == mixed.partial());
    BOOST_TEST(by_bytes.finished()[1] == crc32c(BytesView{all}.subspan(block_bytes, block_bytes)));
}

BOOST_AUTO_TEST_CASE(a_record_is_decoded_as_it_was_encoded) {
    const Position before{
        .slots = 2, .file_offset = 9000, .round = {6}, .sequence = {6}, .wall_us = 4, .output_end = 50, .hash = 99};
    const auto round = make_round(7);
    Bytes bytes;
    const auto header = encode_record(round, before, bytes);
    const auto text = as_bytes(round.text);
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.resize(bytes.size() + padding(header));
    BOOST_TEST(bytes.size() == header.length);
    BOOST_TEST(!fault_of(header, before).has_value());
    const auto record = decode_record(decode_header(bytes), bytes);
    BOOST_REQUIRE(record.has_value());
    BOOST_TEST(record->text == round.text);
    BOOST_TEST((record->changes == round.changes));
    const auto after = position_after(header, before);
    BOOST_TEST(after.output_end == 50 + round.text.size());
    BOOST_TEST(after.sequence.value == 7U);
    BOOST_TEST(after.file_offset == 9000 + header.length);
}

BOOST_AUTO_TEST_CASE(no_changed_bit_of_a_record_goes_unnoticed) {
    const Position before{
        .slots = 0, .file_offset = 8192, .round = {6}, .sequence = {6}, .wall_us = 4, .output_end = 50, .hash = 99};
    const auto round = make_round(7);
    Bytes bytes;
    const auto header = encode_record(round, before, bytes);
    const auto text = as_bytes(round.text);
    bytes.insert(bytes.end(), text.begin(), text.end());
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        const auto damaged = decode_header(bytes);
        BOOST_TEST((fault_of(damaged, before) || !decode_record(damaged, bytes)));
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    BOOST_TEST(decode_record(header, bytes).has_value());
    BOOST_TEST(!decode_record(header, BytesView{bytes}.first(bytes.size() - 1)).has_value());
}

BOOST_AUTO_TEST_CASE(a_header_is_read_whole_or_is_of_no_kind) {
    struct Header {
        std::array<char, 8> magic{'A', 'N', 'E', 'L', 'T', 'S', 'T', '\n'};
        std::uint32_t version = 1;
        std::uint32_t crc = 0;
        std::uint64_t kept = 7;
    };
    constexpr std::uint64_t offset = 16;
    Header written;
    written.crc = crc_of_header(written);
    BOOST_TEST(written.crc == crc32c(bytes_of(written.kept)));
    const Descriptor file{::memfd_create("header", MFD_CLOEXEC)};
    BOOST_REQUIRE(::pwrite(file.get(), &written, sizeof written, offset) == sizeof written);
    auto read = read_header<Header>(file.get(), offset, "a header");
    BOOST_REQUIRE(read);
    BOOST_TEST((read->magic == written.magic));
    BOOST_TEST(read->kept == 7U);
    BOOST_TEST(read->crc == crc_of_header(*read));
    for (const std::uint64_t bytes : {sizeof written - 1, sizeof written.magic, std::size_t{0}}) {
        BOOST_REQUIRE(::ftruncate(file.get(), static_cast<off_t>(offset + bytes)) == 0);
        read = read_header<Header>(file.get(), offset, "a header");
        BOOST_REQUIRE(read);
        BOOST_TEST((read->magic == std::array<char, 8>{}));
    }
    BOOST_TEST(!read_header<Header>(-1, 0, "a header"));
}

BOOST_AUTO_TEST_CASE(bad_fail_points_are_refused) {
    for (const char* text : {"x", "=stop", "x=", "x=stop@0", "x=stop@", "x=error:EWHAT", "x=stop@1b"}) {
        BOOST_TEST((fail_points::arm(text).error().code == ErrorCode::bad_configuration), text);
    }
    BOOST_TEST(fail_points::arm("a=stop@3,b=error:EIO,c=short").has_value());
    BOOST_TEST(fail_points::pass("b").error == EIO);
    BOOST_TEST(fail_points::pass("c").shorten);
    BOOST_TEST(fail_points::arm("").has_value());
    BOOST_TEST(fail_points::pass("b").error == 0);
}

BOOST_AUTO_TEST_SUITE_END()

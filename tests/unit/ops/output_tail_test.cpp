#define BOOST_TEST_DYN_LINK
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>

#include "ring/daemon/output_tail.hpp"

using namespace anel;

namespace {

struct File {
    File() {
        std::string pattern = "/tmp/anel-tail-XXXXXX";
        close(mkstemp(pattern.data()));
        path = pattern;
    }
    ~File() { unlink(path.c_str()); }
    void write(const std::string& text) const { std::ofstream{path, std::ios::binary} << text; }
    std::string path;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(output_tail, File)

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_or_empty_has_no_lines) {
    BOOST_TEST(read_output_tail("/nowhere/output.txt", 5).bytes == 0U);
    BOOST_TEST(read_output_tail(path, 5).lines.empty());
}

BOOST_AUTO_TEST_CASE(the_last_whole_lines_and_no_half_one) {
    write("one\ntwo\nthree\nbeing writ");
    const auto tail = read_output_tail(path, 2);
    BOOST_TEST(tail.lines == (std::vector<std::string>{"two", "three"}), boost::test_tools::per_element());
    BOOST_TEST(tail.bytes == 24U);
    BOOST_TEST(read_output_tail(path, 9).lines.front() == "one");
}

BOOST_AUTO_TEST_CASE(of_a_large_file_the_end_is_read_and_long_lines_are_cut_between_characters) {
    write(std::string(40'000, 'x') + "\nshort\n" + "a" + [] {
        std::string text;
        for (int count = 0; count < 500; ++count) text += "\u00e9";
        return text;
    }() + "\n");
    const auto tail = read_output_tail(path, 9);
    BOOST_REQUIRE(tail.lines.size() == 2U);
    BOOST_TEST(tail.lines[0] == "short");
    BOOST_TEST(tail.lines[1].size() <= 403U);
    BOOST_TEST(tail.lines[1].ends_with("\u00e9\u2026"));
}

BOOST_AUTO_TEST_SUITE_END()

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "client/command/follower.hpp"
#include "client/command/output_reader.hpp"

using namespace anel::command;

namespace {

std::string round_text(int number, int messages = 2) {
    std::string text;
    for (int one = 0; one < messages; ++one) {
        text += "Container " + std::to_string(one) + " \nMensagem: r" + std::to_string(number) + "\n";
    }
    return text + std::string{round_separator} + "\n";
}

struct File {
    File() {
        std::string pattern = "/tmp/anel-output-XXXXXX";
        BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
        folder = pattern;
        path = folder / "output.txt";
    }
    ~File() { std::filesystem::remove_all(folder); }
    void append(const std::string& text) const { std::ofstream{path, std::ios::app} << text; }
    std::filesystem::path folder;
    std::filesystem::path path;
};

std::string read_all(Follower& follower, Follower::Change expected = Follower::Change::none) {
    std::string text;
    const auto change = follower.read([&](std::string_view bytes) {
        text += bytes;
        return true;
    });
    BOOST_TEST((change == expected));
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(output)

BOOST_AUTO_TEST_CASE(messages_and_rounds_of_the_classic_format_are_read) {
    OutputReader reader;
    BOOST_TEST(!reader.line("Container 12 ").has_value());
    const auto message = std::get<ShownMessage>(*reader.line("Mensagem: client 4 time: 5 - message: 3"));
    BOOST_TEST(message.container == 12U);
    BOOST_TEST(message.text == "client 4 time: 5 - message: 3");
    BOOST_TEST(std::holds_alternative<RoundEnded>(*reader.line(round_separator)));
    BOOST_TEST(std::holds_alternative<OtherLine>(*reader.line("      ")));
    BOOST_TEST(std::holds_alternative<OtherLine>(*reader.line("Container 12")));
    BOOST_TEST(std::holds_alternative<OtherLine>(*reader.line("Mensagem: alone")));
}

BOOST_AUTO_TEST_CASE(messages_and_rounds_of_jsonl_are_read) {
    OutputReader reader;
    const auto first = reader.line(R"({"sequence":1,"round":4,"container":2,"message":"hi"})");
    BOOST_TEST(std::get<ShownMessage>(*first).text == "hi");
    BOOST_TEST(reader.began_round());
    (void)reader.line(R"({"sequence":2,"round":4,"container":0,"message":"ho"})");
    BOOST_TEST(!reader.began_round());
    (void)reader.line(R"({"sequence":3,"round":5,"container":0,"message":"ha"})");
    BOOST_TEST(reader.began_round());
}

BOOST_AUTO_TEST_CASE(lines_are_cut_wherever_the_bytes_come) {
    const auto text = round_text(1) + "rest";
    for (std::size_t size = 1; size < 9; ++size) {
        LineCutter cutter;
        std::string joined;
        for (std::size_t at = 0; at < text.size(); at += size) {
            cutter.feed(std::string_view{text}.substr(at, size),
                        [&](std::string_view line) { joined += std::string{line} + "\n"; });
        }
        BOOST_TEST(joined == round_text(1));
    }
}

BOOST_AUTO_TEST_CASE(a_file_is_followed_over_creation_growth_and_replacement) {
    const File file;
    Follower follower{file.path};
    BOOST_TEST(!follower.open());
    BOOST_TEST(read_all(follower).empty());
    file.append("one\n");
    BOOST_TEST(read_all(follower) == "one\n");
    file.append("two\n");
    BOOST_TEST(read_all(follower) == "two\n");
    std::ofstream{file.folder / "other"} << "new\n";
    std::filesystem::rename(file.folder / "other", file.path);
    BOOST_TEST(read_all(follower, Follower::Change::replaced).empty());
    BOOST_TEST(read_all(follower) == "new\n");
    std::filesystem::resize_file(file.path, 0);
    BOOST_TEST(read_all(follower, Follower::Change::shortened).empty());
}

BOOST_AUTO_TEST_CASE(the_last_rounds_are_found_at_every_block_edge) {
    for (int messages : {1, 2, 3, 5, 7}) {
        const File file;
        std::string text;
        std::vector<std::size_t> begins;
        for (int number = 0; text.size() < 600'000; ++number) {
            begins.push_back(text.size());
            text += round_text(number, messages);
        }
        file.append(text);
        Follower follower{file.path};
        BOOST_REQUIRE(follower.open());
        BOOST_TEST(follower.offset_of_last_rounds(0) == text.size());
        for (std::size_t rounds = 1; rounds <= begins.size(); rounds += (rounds < 20 ? 1 : 97)) {
            BOOST_REQUIRE_EQUAL(follower.offset_of_last_rounds(rounds), begins[begins.size() - rounds]);
        }
        BOOST_TEST(follower.offset_of_last_rounds(begins.size() + 5) == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

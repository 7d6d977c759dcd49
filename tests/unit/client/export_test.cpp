// Finished pieces of the output as rows.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "client/command/export/pieces.hpp"
#include "ring/ledger/file_ledger.hpp"

using namespace anel;
using namespace anel::command;

namespace {

std::string entry(int container, const std::string& text) {
    return "Container " + std::to_string(container) + " \nMensagem: " + text + "\n";
}
const std::string separator = std::string{round_separator} + "\n";

struct Told {
    std::string text;
    std::uint64_t rows = 0;
    bool whole = false;
};
/// @param step  so many bytes at a time.
Told rows_of(const std::string& bytes, RowFormat format, std::size_t step = 1'000'000) {
    Told told;
    RowWriter writer{7, format, [&](std::string_view text) { told.text += text; }};
    for (std::size_t at = 0; at < bytes.size(); at += step) writer.feed(std::string_view{bytes}.substr(at, step));
    told.rows = writer.rows();
    told.whole = writer.whole();
    return told;
}

struct Places {
    Places() {
        std::string pattern = "/tmp/anel-export-XXXXXX";
        BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path = pattern;
        std::filesystem::create_directory(pieces());
    }
    ~Places() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::filesystem::path pieces() const { return path / "pieces"; }
    [[nodiscard]] std::filesystem::path target() const { return path / "rows"; }
    void write(const std::string& name, const std::string& text) const { std::ofstream{pieces() / name} << text; }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream file{target() / name};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    std::filesystem::path path;
};

std::vector<std::uint64_t> numbers(const Places& places) {
    const auto pieces = finished_pieces(places.pieces());
    BOOST_REQUIRE(pieces.has_value());
    std::vector<std::uint64_t> found;
    for (const auto& piece : pieces->finished) found.push_back(piece.number);
    return found;
}

/// A ledger whose output went on in a new file, perhaps before the machine started again.
void make_ledger(const std::filesystem::path& folder, std::optional<BootId> boot) {
    LedgerOptions options;
    options.folder = folder;
    options.nodes = {NodeId{0}};
    options.self = NodeId{0};
    options.boot = boot;
    auto ledger = FileLedger::open(options);
    BOOST_REQUIRE_MESSAGE(ledger.has_value(), ledger.error().text);
    const auto segment = (*ledger)->grant(Epoch{0})->segment;
    RoundRecord record;
    record.round = Round{1};
    record.first = Sequence{1};
    record.count = 1;
    record.text = entry(0, "one") + separator;
    BOOST_REQUIRE((*ledger)->write_record(segment, RoundRecord{record}).has_value());
    BOOST_REQUIRE((*ledger)->decide(segment, record.round).has_value());
    BOOST_REQUIRE((*ledger)->write_output(record.round).has_value());
    BOOST_REQUIRE((*ledger)->rotate(segment, record.round, 1).has_value());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(an_export)

BOOST_AUTO_TEST_CASE(classic_rounds_become_rows_however_the_bytes_come) {
    const auto bytes =
        entry(2, "a \"b\", c") + entry(0, R"(two\nlines)") + separator + "    \n" + entry(1, "") + separator;
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
        const auto csv = rows_of(bytes, RowFormat::csv, step);
        BOOST_TEST(csv.text ==
                   "piece,row,round,container,message\n7,1,1,2,\"a \"\"b\"\", c\"\n7,2,1,0,two\\nlines\n7,3,2,1,\n");
        BOOST_TEST(csv.rows == 3U);
        BOOST_TEST(csv.whole);
        BOOST_TEST(rows_of(bytes, RowFormat::jsonl, step).text ==
                   R"({"piece":7,"row":1,"round":1,"container":2,"message":"a \"b\", c"})"
                   "\n"
                   R"({"piece":7,"row":2,"round":1,"container":0,"message":"two\\nlines"})"
                   "\n"
                   R"({"piece":7,"row":3,"round":2,"container":1,"message":""})"
                   "\n");
    }
}

BOOST_AUTO_TEST_CASE(jsonl_keeps_its_lines_and_has_its_own_columns) {
    const std::string line =
        R"({"sequence":4,"round":2,"container":1,"client":"tea","client_sequence":3,"timestamp":9,)"
        R"("message":"x,\ny"})"
        "\n";
    BOOST_TEST(rows_of(line + line, RowFormat::jsonl).text == line + line);
    BOOST_TEST(rows_of(line, RowFormat::csv).text ==
               "sequence,round,container,client,client_sequence,timestamp,message\n4,2,1,tea,3,9,\"x,\ny\"\n");
}

BOOST_AUTO_TEST_CASE(a_piece_without_messages_has_no_rows_and_no_head) {
    BOOST_TEST(rows_of("", RowFormat::csv).text == "");
    BOOST_TEST(rows_of("", RowFormat::csv).whole);
    BOOST_TEST(rows_of("     \n", RowFormat::csv).text == "");
}

BOOST_AUTO_TEST_CASE(what_ends_in_the_middle_is_not_whole) {
    const auto bytes = entry(0, "one");
    BOOST_TEST(rows_of(bytes, RowFormat::csv).whole);
    BOOST_TEST(!rows_of(bytes.substr(0, bytes.size() - 1), RowFormat::csv).whole);
    BOOST_TEST(!rows_of("Container 0 \n", RowFormat::csv).whole);
}

BOOST_AUTO_TEST_CASE(finished_are_all_numbered_files) {
    const Places places;
    for (const auto* name : {"output.txt", "output.000002.txt", "output.1000000.txt", "output.000010.txt",
                             "output.x.txt", "output..txt", "output.12.txt.part", "notes.txt"}) {
        places.write(name, "");
    }
    BOOST_TEST((numbers(places) == std::vector<std::uint64_t>{2, 10, 1'000'000}));
}

BOOST_AUTO_TEST_CASE(no_numbered_file_is_nothing_finished) {
    const Places places;
    places.write("output.txt", entry(0, "one"));
    BOOST_TEST(numbers(places).empty());
    BOOST_TEST((finished_pieces(places.path / "none").error().code == ErrorCode::bad_configuration));
}

BOOST_AUTO_TEST_CASE(an_export_has_its_name_only_when_it_is_whole) {
    const Places places;
    places.write("output.000001.txt", entry(0, "one") + separator);
    places.write("output.000002.txt", entry(0, "torn") + "Container 1 \n");
    const auto target = ExportFolder::open(places.target(), RowFormat::csv);
    BOOST_REQUIRE(target.has_value());
    const auto pieces = finished_pieces(places.pieces()).value().finished;
    BOOST_REQUIRE(pieces.size() == 2U);
    BOOST_TEST(!target->has(pieces[0]));
    // What a killed one left behind.
    std::ofstream{places.target() / "output.000001.csv.part"}
        << "rubbish of an earlier life that is longer than the rows to come";
    BOOST_TEST(target->add(pieces[0]).value() == 1U);
    BOOST_TEST(target->has(pieces[0]));
    BOOST_TEST(places.read("output.000001.csv") == "piece,row,round,container,message\n1,1,1,0,one\n");
    BOOST_TEST(!std::filesystem::exists(places.target() / "output.000001.csv.part"));
    const auto torn = target->add(pieces[1]);
    BOOST_REQUIRE(!torn.has_value());
    BOOST_TEST(torn.error().text.find("output.000002.txt: ends in the middle of a line or a message") !=
               std::string::npos);
    BOOST_TEST(!target->has(pieces[1]));
    BOOST_TEST(!std::filesystem::exists(places.target() / "output.000002.csv.part"));
}

BOOST_AUTO_TEST_CASE(what_a_restart_of_the_machine_may_have_torn_waits_for_the_ring) {
    const Places places;
    make_ledger(places.pieces(), std::nullopt);
    BOOST_TEST((numbers(places) == std::vector<std::uint64_t>{1}));
    const Places earlier;
    BootId boot{};
    boot.fill('A');
    make_ledger(earlier.pieces(), boot);
    const auto pieces = finished_pieces(earlier.pieces());
    BOOST_REQUIRE_MESSAGE(pieces.has_value(), pieces.error().text);
    BOOST_TEST(pieces->finished.empty());
    BOOST_REQUIRE(pieces->uncertain.has_value());
    BOOST_TEST(pieces->uncertain->path == earlier.pieces() / "output.000001.txt");
}

BOOST_AUTO_TEST_CASE(one_process_at_a_time_has_the_folder) {
    const Places places;
    {
        const auto first = ExportFolder::open(places.target(), RowFormat::csv);
        BOOST_REQUIRE(first.has_value());
        const auto second = ExportFolder::open(places.target(), RowFormat::csv);
        BOOST_REQUIRE(!second.has_value());
        BOOST_TEST(second.error().text.find("another anel export is at work in this folder") != std::string::npos);
    }
    BOOST_TEST(ExportFolder::open(places.target(), RowFormat::csv).has_value());
    BOOST_TEST((ExportFolder::open(places.path / "no" / "folder", RowFormat::csv).error().code ==
                ErrorCode::bad_configuration));
}

BOOST_AUTO_TEST_SUITE_END()

// The text of output.txt, byte for byte: what people and programs read of the ledger.
#include "ring/core/output_format.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/common/seed.hpp"

using namespace anel;
using namespace anel::testing;
namespace data = boost::unit_test::data;

namespace {

std::string escaped(std::string_view payload) {
    std::string text = "before ";
    append_escaped(text, payload);
    return text.substr(7);
}

std::string json_line(std::string_view payload, std::string_view client_id = "id") {
    std::string text;
    append_message(text, OutputFormat::jsonl, {{3}, client_id, {4}, {5}, {6}, {-7, payload}});
    return text;
}

// --- a second, slow reading of the rule ------------------------------------------------------------

/// Decodes one character the long way. @return its length, 0 where it is not UTF-8.
std::size_t naive_decode(std::string_view text, std::uint32_t& point) {
    const auto byte = [&](std::size_t index) { return std::uint32_t{static_cast<unsigned char>(text[index])}; };
    const std::uint32_t lead = byte(0);
    std::size_t length = 0;
    std::uint32_t least = 0;
    if (lead < 0x80) length = 1, point = lead, least = 0;
    else if (lead >= 0xc0 && lead < 0xe0) length = 2, point = lead & 0x1f, least = 0x80;
    else if (lead >= 0xe0 && lead < 0xf0) length = 3, point = lead & 0x0f, least = 0x800;
    else if (lead >= 0xf0 && lead < 0xf8) length = 4, point = lead & 0x07, least = 0x10000;
    else return 0;
    if (text.size() < length) return 0;
    for (std::size_t index = 1; index < length; ++index) {
        if ((byte(index) & 0xc0) != 0x80) return 0;
        point = point << 6U | (byte(index) & 0x3f);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return 0;
    return length;
}

std::string naive_escape(std::string_view payload) {
    std::string text;
    while (!payload.empty()) {
        std::uint32_t point = 0;
        const std::size_t length = naive_decode(payload, point);
        const bool control = point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029;
        if (length > 0 && !control && point != '\\') {
            text += payload.substr(0, length);
            payload.remove_prefix(length);
            continue;
        }
        const auto byte = static_cast<unsigned char>(payload.front());
        if (byte == '\n') text += "\\n";
        else if (byte == '\r') text += "\\r";
        else if (byte == '\t') text += "\\t";
        else if (byte == '\\') text += "\\\\";
        else {
            char hex[8];
            std::snprintf(hex, sizeof hex, "\\x%02x", unsigned{byte});
            text += hex;
        }
        payload.remove_prefix(1);
    }
    return text;
}

bool naive_is_utf8(std::string_view text) {
    while (!text.empty()) {
        std::uint32_t point = 0;
        const std::size_t length = naive_decode(text, point);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// Strings in which every class of byte is likely to stand beside every other.
std::string mixed(Dice& dice) {
    static const std::vector<std::string> pieces{"plain text of some length",
                                                 "a",
                                                 "\n",
                                                 "\r",
                                                 "\t",
                                                 "\\",
                                                 "\"",
                                                 std::string(1, '\0'),
                                                 "\x1b",
                                                 "\x7f",
                                                 "~",
                                                 " ",
                                                 "\x1f",
                                                 "\xc2\x80",
                                                 "\xc2\x9f",
                                                 "\xc2\xa0",
                                                 "\xc3\xa9",
                                                 "\xdf\xbf",
                                                 "\xe0\xa0\x80",
                                                 "\xe2\x80\xa8",
                                                 "\xe2\x80\xa9",
                                                 "\xe2\x80\xa7",
                                                 "\xed\x9f\xbf",
                                                 "\xee\x80\x80",
                                                 "\xef\xbf\xbd",
                                                 "\xf0\x90\x80\x80",
                                                 "\xf0\x9f\x98\x80",
                                                 "\xf4\x8f\xbf\xbf",
                                                 "\xc0\xaf",
                                                 "\xc1\xbf",
                                                 "\xe0\x9f\xbf",
                                                 "\xed\xa0\x80",
                                                 "\xed\xbf\xbf",
                                                 "\xf0\x8f\xbf\xbf",
                                                 "\xf4\x90\x80\x80",
                                                 "\xf5\x80\x80\x80",
                                                 "\x80",
                                                 "\xbf",
                                                 "\xfe",
                                                 "\xff",
                                                 "\xe2\x80",
                                                 "\xf0\x9f\x98",
                                                 "\xc3"};
    std::string text;
    for (auto left = dice.roll(12); left > 0; --left)
        text += dice.once_in(3) ? dice.bytes(dice.roll(12)) : pieces[dice.roll(pieces.size())];
    return text;
}

struct Row {
    const char* name;
    std::string payload;
    std::string shown;
    friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

const std::vector<Row> rows{
    {"plain", "client 2 time: 368186 - message: 3", "client 2 time: 368186 - message: 3"},
    {"empty", "", ""},
    {"line feed", "a\nb", "a\\nb"},
    {"carriage return", "a\r\nb", "a\\r\\nb"},
    {"tab", "a\tb", "a\\tb"},
    {"backslash", "a\\nb", "a\\\\nb"},
    {"nul", std::string("a\0b", 3), "a\\x00b"},
    {"escape sequence", "\x1b[31m", "\\x1b[31m"},
    {"del", "\x7f", "\\x7f"},
    {"vertical tab and form feed", "\v\f", "\\x0b\\x0c"},
    {"C1 control", "\xc2\x85", "\\xc2\\x85"},
    {"last C1 control", "\xc2\x9f", "\\xc2\\x9f"},
    {"no-break space is printable", "\xc2\xa0", "\xc2\xa0"},
    {"line separator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
    {"paragraph separator", "\xe2\x80\xa9", "\\xe2\\x80\\xa9"},
    {"umlauts", "S\xc3\xa3o \xe2\x82\xac \xf0\x9f\x98\x80", "S\xc3\xa3o \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"overlong slash", "\xc0\xaf", "\\xc0\\xaf"},
    {"overlong of three", "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
    {"overlong of four", "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
    {"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
    {"beyond U+10FFFF", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    {"lone continuation", "\x80", "\\x80"},
    {"never a byte of UTF-8", "\xff\xfe", "\\xff\\xfe"},
    {"truncated of two", "a\xc3", "a\\xc3"},
    {"truncated of three", "\xe2\x82", "\\xe2\\x82"},
    {"truncated of four", "\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
    {"truncated, then text", "\xe2\x82z", "\\xe2\\x82z"},
    {"separator as payload", std::string(56, '#'), std::string(56, '#')},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(output_format)

BOOST_AUTO_TEST_CASE(classic_is_the_reference_format_byte_for_byte) {
    std::string text;
    append_message(text, OutputFormat::classic,
                   {{2}, "a", {1}, {1}, {1}, {368186, "client 2 time: 368186 - message: 3"}});
    append_message(text, OutputFormat::classic,
                   {{4}, "b", {1}, {2}, {1}, {526895, "client 4 time: 526895 - message: 3"}});
    append_round_end(text, OutputFormat::classic);
    BOOST_TEST(text ==
               "Container 2 \n"
               "Mensagem: client 2 time: 368186 - message: 3\n"
               "Container 4 \n"
               "Mensagem: client 4 time: 526895 - message: 3\n"
               "########################################################\n");
}

BOOST_AUTO_TEST_CASE(a_payload_cannot_forge_a_line_of_the_file) {
    std::string text;
    const std::string forged = "x\n" + std::string(56, '#') + "\nContainer 1 \nMensagem: forged";
    append_message(text, OutputFormat::classic, {{2}, "a", {1}, {1}, {1}, {0, forged}});
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2);
}

BOOST_DATA_TEST_CASE(what_is_not_printable_is_escaped, data::make(rows)) {
    BOOST_TEST(escaped(sample.payload) == sample.shown);
    // At every place of a word of eight, and behind every other row.
    for (std::size_t shift = 0; shift < 9; ++shift) {
        const std::string pad(shift, 'p');
        BOOST_TEST(escaped(pad + sample.payload) == pad + sample.shown);
    }
    BOOST_TEST(naive_escape(sample.payload) == sample.shown);
}

BOOST_AUTO_TEST_CASE(every_byte_at_every_place_agrees_with_the_naive_rule) {
    for (int byte = 0; byte < 256; ++byte) {
        for (std::size_t place = 0; place < 17; ++place) {
            std::string text(17, 'x');
            text[place] = static_cast<char>(byte);
            BOOST_REQUIRE_EQUAL(escaped(text), naive_escape(text));
            BOOST_REQUIRE_EQUAL(is_utf8(text), naive_is_utf8(text));
        }
    }
}

BOOST_AUTO_TEST_CASE(every_pair_of_bytes_agrees_with_the_naive_rule) {
    for (int pair = 0; pair < 65536; ++pair) {
        const std::string text{static_cast<char>(pair >> 8), static_cast<char>(pair & 0xff)};
        if (escaped(text) != naive_escape(text)) BOOST_FAIL("pair " << pair);
        if (is_utf8(text) != naive_is_utf8(text)) BOOST_FAIL("pair " << pair);
    }
}

BOOST_AUTO_TEST_CASE(random_strings_agree_with_the_naive_rule) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 30'000; ++turn) {
        const auto text = mixed(dice);
        BOOST_REQUIRE_EQUAL(escaped(text), naive_escape(text));
        BOOST_REQUIRE_EQUAL(is_utf8(text), naive_is_utf8(text));
        BOOST_REQUIRE(naive_is_utf8(escaped(text)));
    }
}

BOOST_AUTO_TEST_CASE(what_is_escaped_can_be_read_back) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 10'000; ++turn) {
        const auto payload = mixed(dice);
        const auto shown = escaped(payload);
        std::string back;
        for (std::size_t at = 0; at < shown.size(); ++at) {
            if (shown[at] != '\\') {
                back += shown[at];
                continue;
            }
            switch (shown[++at]) {
                case 'n': back += '\n'; break;
                case 'r': back += '\r'; break;
                case 't': back += '\t'; break;
                case '\\': back += '\\'; break;
                case 'x':
                    back += static_cast<char>(std::stoi(shown.substr(at + 1, 2), nullptr, 16));
                    at += 2;
                    break;
                default: BOOST_FAIL("an escape nobody knows");
            }
        }
        BOOST_REQUIRE(back == payload);
    }
}

BOOST_AUTO_TEST_CASE(jsonl_writes_one_object_a_message_and_nothing_at_the_end_of_a_round) {
    BOOST_TEST(
        json_line("hi \"you\"\n") ==
        R"({"sequence":5,"round":6,"container":3,"client":"id","client_sequence":4,"timestamp":-7,"message":"hi \"you\"\u000a"})"
        "\n");
    std::string text;
    append_round_end(text, OutputFormat::jsonl);
    BOOST_TEST(text.empty());
}

BOOST_AUTO_TEST_CASE(jsonl_is_json_on_one_line_and_gives_back_every_utf8_payload) {
    ANEL_TELL_SEED();
    Dice dice{seed()};
    for (int turn = 0; turn < 10'000; ++turn) {
        const auto payload = mixed(dice);
        const auto client_id = mixed(dice);
        const auto line = json_line(payload, client_id);
        BOOST_REQUIRE_EQUAL(std::count(line.begin(), line.end(), '\n'), 1);
        BOOST_REQUIRE(line.find("\xe2\x80\xa8") == std::string::npos);
        const auto json = nlohmann::json::parse(line);
        BOOST_REQUIRE_EQUAL(json.at("sequence").get<std::uint64_t>(), 5U);
        BOOST_REQUIRE_EQUAL(json.at("timestamp").get<std::int64_t>(), -7);
        if (naive_is_utf8(payload)) BOOST_REQUIRE(json.at("message").get<std::string>() == payload);
        if (naive_is_utf8(client_id)) BOOST_REQUIRE(json.at("client").get<std::string>() == client_id);
    }
    for (const auto& row : rows) {
        const auto json = nlohmann::json::parse(json_line(row.payload));
        if (naive_is_utf8(row.payload)) BOOST_TEST(json.at("message").get<std::string>() == row.payload);
        else BOOST_TEST(json.at("message").get<std::string>() == row.shown);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// Settings: what wins, and what a wrong value is answered with.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "ring/daemon/command_line.hpp"

using namespace anel;

namespace {

std::string error_of(const std::vector<Source>& sources) {
    const auto settled = settle(sources);
    return settled ? "" : settled.error().text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(settings)

BOOST_AUTO_TEST_CASE(without_anything_a_node_is_a_ring_of_one) {
    const auto settings = settle({});
    BOOST_REQUIRE(settings);
    BOOST_TEST((settings->node.nodes == std::set{NodeId{0}}));
    BOOST_TEST(settings->port == 5000);
    BOOST_TEST(settings->cluster_port == 6000);
}

BOOST_AUTO_TEST_CASE(flags_win_over_environment_and_that_over_the_file) {
    const auto settings = settle({{"flag", {{"port", "1"}}},
                                  {"environment", {{"port", "2"}, {"linger_ms", "2"}}},
                                  {"file x", {{"port", "3"}, {"linger_ms", "3"}, {"bid_bytes", "3KiB"}}}});
    BOOST_REQUIRE(settings);
    BOOST_TEST(settings->port == 1);
    BOOST_TEST((settings->node.linger == std::chrono::milliseconds{2}));
    BOOST_TEST(settings->node.bid_bytes == 3072);
}

BOOST_AUTO_TEST_CASE(a_wrong_value_of_any_key_names_key_value_source_and_what_is_allowed) {
    for (const auto& key : setting_keys()) {
        const std::string bad = key.name == "data" ? std::string(1, '\0') : "~no~";
        const auto text = error_of({{"flag", {{key.name, bad}}}});
        BOOST_TEST(text.find(key.name) != std::string::npos);
        BOOST_TEST(text.find(bad) != std::string::npos);
        BOOST_TEST(text.find("from flag") != std::string::npos);
        BOOST_TEST(text.find(key.allowed) != std::string::npos);
        BOOST_TEST(text.find('\n') == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(peers_are_checked_entry_by_entry) {
    const auto good = [](const char* peers) { return error_of({{"flag", {{"peers", peers}, {"id", "0"}}}}).empty(); };
    BOOST_TEST(good("0=a:1"));
    BOOST_TEST(good("0=host-a.net_x:6000,1=10.0.0.1:6000,63=[::1]:6000"));
    BOOST_TEST(!good("0=a:1,"));
    BOOST_TEST(!good("0=a:1,,1=b:1"));
    BOOST_TEST(!good("0=a:1,0=b:1"));
    BOOST_TEST(!good("0=a:1,1=a:1"));
    BOOST_TEST(!good("64=a:1"));
    BOOST_TEST(!good("0=a:0"));
    BOOST_TEST(!good("0=a:65536"));
    BOOST_TEST(!good("0=a"));
    BOOST_TEST(!good("0=:1"));
    BOOST_TEST(!good("0=a b:1"));
    BOOST_TEST(!good("0=[a]:1"));
    BOOST_TEST(!good("a:1"));
}

BOOST_AUTO_TEST_CASE(values_that_do_not_go_together_are_refused) {
    const auto refused = [](Values values, const char* word) {
        const auto text = error_of({{"flag", std::move(values)}});
        return text.find(word) != std::string::npos && text.find("allowed") != std::string::npos;
    };
    BOOST_TEST(refused({{"id", "2"}, {"peers", "0=a:1,1=b:1"}}, "0, 1"));
    BOOST_TEST(refused({{"peers", "0=a:1"}, {"cluster_port", "2"}}, "cluster_port"));
    BOOST_TEST(refused({{"port", "6000"}}, "port"));
    BOOST_TEST(refused({{"http_port", "5000"}}, "http_port"));
    BOOST_TEST(refused({{"http_port", "6000"}}, "http_port"));
    for (const auto* taken : {"5000", "6000", "8080"}) {
        BOOST_TEST(refused({{"http_port", "8080"}, {"feed_port", taken}}, "feed_port"));
    }
    BOOST_TEST(refused({{"message_bytes", "4MiB"}}, "batch_bytes"));
    BOOST_TEST(refused({{"batch_bytes", "16MiB"}}, "window_bytes"));
    BOOST_TEST(refused({{"window_bytes", "1GiB"}}, "pending_bytes"));
    BOOST_TEST(refused({{"token_bytes", "1MiB"}}, "token_bytes"));
}

BOOST_AUTO_TEST_CASE(all_times_follow_from_the_token_time_out) {
    using std::chrono::milliseconds;
    const auto timing_of = [](Values values) { return settle({{"flag", std::move(values)}})->node.timing; };
    const auto timing = timing_of({{"token_timeout_ms", "600"}});
    BOOST_TEST((timing.token_timeout == milliseconds{600}));
    BOOST_TEST((timing.hop_resend == milliseconds{100}));
    BOOST_TEST((timing.no_quorum_after == milliseconds{1800}));
    // A connection is not closed before its silence was noticed by the token.
    BOOST_TEST((timing.heartbeat == milliseconds{2000}));
    BOOST_TEST((timing.heartbeat_timeout == milliseconds{6000}));
    BOOST_TEST((timing.leave_patience == milliseconds{6000}));
    BOOST_TEST((timing_of({}).leave_patience == milliseconds{3000}));
    BOOST_TEST((timing_of({{"token_timeout_ms", "60000"}}).leave_patience == milliseconds{60'000}));
    BOOST_TEST(
        (timing_of({{"token_timeout_ms", "600"}, {"leave_patience_ms", "700"}}).leave_patience == milliseconds{700}));
    BOOST_TEST((timing_of({{"leave_patience_ms", "0"}}).leave_patience == milliseconds{0}));
}

BOOST_AUTO_TEST_CASE(times_that_make_no_sense_are_refused) {
    const auto text = [](Values values) { return error_of({{"flag", std::move(values)}}); };
    BOOST_TEST(text({{"token_timeout_ms", "59"}}).find("from 60 to 60000") != std::string::npos);
    BOOST_TEST(text({{"token_timeout_ms", "60001"}}).find("from 60 to 60000") != std::string::npos);
    BOOST_TEST(text({{"token_timeout_ms", "-1"}}).find("token_timeout_ms") != std::string::npos);
    BOOST_TEST(text({{"token_timeout_ms", "60"}}).empty());
    BOOST_TEST(text({{"token_timeout_ms", "60000"}}).empty());
    // Who leaves waits for the token at least once, or not at all.
    const auto impatient = text({{"token_timeout_ms", "5000"}, {"leave_patience_ms", "4999"}});
    BOOST_TEST(impatient.find("leave_patience_ms = 4999: allowed is 0, or token_timeout_ms") != std::string::npos);
    BOOST_TEST(text({{"token_timeout_ms", "5000"}, {"leave_patience_ms", "5000"}}).empty());
    // A lingering holder answers for the token, so it may linger longer than the token may be silent.
    BOOST_TEST(text({{"linger_ms", "60000"}, {"token_timeout_ms", "60"}}).empty());
}

BOOST_AUTO_TEST_CASE(a_file_may_hold_plain_keys_of_the_table_and_nothing_else) {
    const auto values = values_of_toml("id = 3\nformat = \"jsonl\"\nadopt = true\n", "x");
    BOOST_REQUIRE(values);
    BOOST_TEST((*values == Values{{"id", "3"}, {"format", "jsonl"}, {"adopt", "true"}}));
    const auto refused = [](const char* text, const char* word) {
        const auto read = values_of_toml(text, "x");
        return !read && read.error().text.find(word) != std::string::npos;
    };
    BOOST_TEST(refused("id = 3\ntoken_timeout = 5\n", "x:2: token_timeout is no key"));
    BOOST_TEST(refused("id = [1]\n", "x:1: id"));
    BOOST_TEST(refused("[id]\na = 1\n", "x:1: id"));
    BOOST_TEST(refused("id = \n", "x:1"));
}

BOOST_AUTO_TEST_CASE(the_printed_configuration_reads_back) {
    const auto settings = settle({{"flag",
                                   {{"peers", "0=a:1,1=b:1"},
                                    {"id", "1"},
                                    {"link_ports", "7000-7010"},
                                    {"bind", "*"},
                                    {"linger_ms", "7"},
                                    {"data", "/a \"b\"\\"}}}});
    BOOST_REQUIRE(settings);
    const auto text = as_toml(*settings);
    const auto values = values_of_toml(text, "x");
    BOOST_REQUIRE_MESSAGE(values, values.error().text);
    const auto again = settle({{"file", *values}});
    BOOST_REQUIRE(again);
    BOOST_TEST(as_toml(*again) == text);
}

BOOST_AUTO_TEST_CASE(unknown_flags_and_words_are_refused) {
    for (const char* word : {"--tokn-timeout-ms=5", "what", "--port"}) {
        const auto asked = read_command_line({word});
        BOOST_REQUIRE(!asked);
        BOOST_TEST((asked.error().code == ErrorCode::bad_configuration));
    }
    const auto asked = read_command_line({"--port", "5001", "--token-timeout-ms", "400"});
    BOOST_REQUIRE(asked);
    BOOST_TEST((asked->settings.node.timing.hop_resend == std::chrono::microseconds{400'000 / 6}));
}

BOOST_AUTO_TEST_SUITE_END()

// Links over loopback: what goes through, and how their end is told.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "ring/transport/address.hpp"
#include "ring/transport/links.hpp"
#include "tests/unit/transport/random_messages.hpp"

using namespace anel;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t bytes_max = 4 * 1024 * 1024;

LinkOptions options(PortRange ports = {}) {
    return {.bind_host = "127.0.0.1", .ports = ports, .frame_bytes_max = bytes_max};
}

/// Two nodes' links, and what came in at each.
struct World {
    zmq::context_t context;
    Links here{context, options()};
    Links there{context, options()};
    std::vector<Input> at_here;
    std::vector<Input> at_there;

    bool until(const std::function<bool()>& happened, std::chrono::milliseconds patience = 5s) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!happened()) {
            if (std::chrono::steady_clock::now() > end) return false;
            PollSet set;
            here.watch(set);
            there.watch(set);
            set.wait(20ms);
            here.receive(at_here);
            there.receive(at_there);
        }
        return true;
    }
};

template <class Kind>
std::vector<Kind> of(const std::vector<Input>& inputs) {
    std::vector<Kind> found;
    for (const auto& input : inputs) {
        if (const auto* one = std::get_if<Kind>(&input)) found.push_back(*one);
    }
    return found;
}

std::uint16_t port_of(const std::string& address) { return parse_endpoint(address.substr(6))->port; }

/// A TCP connection that does not speak ZeroMQ, until the end of its scope.
struct Stranger {
    int number = socket(AF_INET, SOCK_STREAM, 0);
    explicit Stranger(std::uint16_t port) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        BOOST_REQUIRE_EQUAL(connect(number, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;
    ~Stranger() { close(number); }
    void say(std::string_view text) const { BOOST_REQUIRE_GT(send(number, text.data(), text.size(), MSG_NOSIGNAL), 0); }
};

const LinkHello hello{Epoch{3}, NodeId{1}, Incarnation{5}};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(links, World)

BOOST_AUTO_TEST_CASE(a_hello_sent_at_once_arrives_and_is_answered) {
    const auto address = there.bind(LinkId{1}, "127.0.0.1");
    here.connect(LinkId{7}, address);
    here.send(LinkId{7}, hello);
    BOOST_REQUIRE(until([&] { return !at_there.empty(); }));
    const auto arrived = of<LinkArrived>(at_there);
    BOOST_REQUIRE_EQUAL(arrived.size(), 1);
    BOOST_TEST(arrived[0].link.value == 1);
    BOOST_TEST((arrived[0].message == LinkMessage{hello}));
    there.send(LinkId{1}, LinkWelcome{Epoch{3}, NodeId{2}, Incarnation{6}});
    BOOST_REQUIRE(until([&] { return !at_here.empty(); }));
    BOOST_TEST(of<LinkArrived>(at_here)[0].link.value == 7);
}

BOOST_AUTO_TEST_CASE(tokens_with_large_chunks_arrive_whole) {
    const auto seed = test::seed_or(6);
    BOOST_TEST_INFO_SCOPE("replay with ANEL_SEED=" << seed);
    test::RandomMessages random{seed};
    here.connect(LinkId{1}, there.bind(LinkId{1}, "127.0.0.1"));
    for (std::size_t count = 1; count <= 50; ++count) {
        const LinkMessage token = random.token();
        here.send(LinkId{1}, token);
        BOOST_REQUIRE(until([&] { return at_there.size() == count; }));
        BOOST_REQUIRE((test::merged(of<LinkArrived>(at_there).back().message) == test::merged(token)));
    }
}

/// libzmq ends the process where what is cut off is a message of several frames, and its other end goes at about the same
/// time. When exactly is a matter of microseconds, so it is tried at many moments.
BOOST_AUTO_TEST_CASE(a_link_may_be_closed_while_a_token_is_half_on_its_way) {
    constexpr std::uint64_t tries = 600;
    Bid bid{NodeId{0}, {}, {}};
    for (int chunk = 0; chunk < 40; ++chunk) {
        bid.entries.push_back({Round{1}, 50'000});
        bid.chunks.push_back(Blob::of(Bytes(50'000, std::byte{1})));
    }
    const auto token = test::token_with({bid});
    for (std::uint64_t number = 1; number <= tries; ++number) {
        here.connect(LinkId{number}, there.bind(LinkId{number}, "127.0.0.1"));
        here.send(LinkId{number}, hello);
        BOOST_REQUIRE(until([&] { return at_there.size() == number; }));
        // Nobody reads them, so the connection is full in the middle of one.
        for (int tokens = 0; tokens < 4; ++tokens) here.send(LinkId{number}, token);
        std::this_thread::sleep_for(std::chrono::microseconds{number % 50 * 40});
        if (number % 2 == 0) there.close(LinkId{number});
        here.close(LinkId{number});
        there.close(LinkId{number});
    }
    here.connect(LinkId{tries + 1}, there.bind(LinkId{tries + 1}, "127.0.0.1"));
    here.send(LinkId{tries + 1}, hello);
    BOOST_TEST(until([&] { return at_there.size() == tries + 1; }));
}

BOOST_AUTO_TEST_CASE(closing_one_end_drops_the_other_at_once) {
    here.connect(LinkId{1}, there.bind(LinkId{2}, "127.0.0.1"));
    here.send(LinkId{1}, hello);
    BOOST_REQUIRE(until([&] { return !at_there.empty(); }));
    here.close(LinkId{1});
    BOOST_REQUIRE(until([&] { return !of<LinkDropped>(at_there).empty(); }, 1s));
    BOOST_TEST(of<LinkDropped>(at_there)[0].link.value == 2);
    BOOST_TEST(at_here.empty());

    here.connect(LinkId{3}, there.bind(LinkId{4}, "127.0.0.1"));
    here.send(LinkId{3}, hello);
    BOOST_REQUIRE(until([&] { return of<LinkArrived>(at_there).size() == 2; }));
    there.close(LinkId{4});
    BOOST_REQUIRE(until([&] { return !of<LinkDropped>(at_here).empty(); }, 1s));
    BOOST_TEST(of<LinkDropped>(at_here)[0].link.value == 3);
}

BOOST_AUTO_TEST_CASE(what_was_sent_before_the_end_is_told_before_the_drop) {
    here.connect(LinkId{1}, there.bind(LinkId{2}, "127.0.0.1"));
    here.send(LinkId{1}, hello);
    BOOST_REQUIRE(until([&] { return !at_there.empty(); }));
    for (std::uint64_t hop = 1; hop <= 20; ++hop) here.send(LinkId{1}, HopAck{Epoch{3}, Hop{hop}});
    std::this_thread::sleep_for(50ms);
    here.close(LinkId{1});
    BOOST_REQUIRE(until([&] { return !of<LinkDropped>(at_there).empty(); }, 1s));
    BOOST_TEST(at_there.size() == 22);
    BOOST_TEST(std::holds_alternative<LinkDropped>(at_there.back()));
}

BOOST_AUTO_TEST_CASE(connecting_to_nobody_or_to_no_number_is_a_drop) {
    const auto address = there.bind(LinkId{1}, "127.0.0.1");
    there.close(LinkId{1});
    BOOST_REQUIRE(until([&] { return !accepts_connections("127.0.0.1", port_of(address), 100); }));
    here.connect(LinkId{2}, address);
    BOOST_REQUIRE(until([&] { return !at_here.empty(); }));
    BOOST_TEST(of<LinkDropped>(at_here)[0].link.value == 2);
    for (const char* bad : {"", "tcp://localhost:5000", "inproc://x", "ipc:///tmp/x", "tcp://127.0.0.1:0"}) {
        at_here.clear();
        here.connect(LinkId{3}, bad);
        BOOST_REQUIRE(until([&] { return !at_here.empty(); }));
        BOOST_TEST(of<LinkDropped>(at_here)[0].link.value == 3);
    }
}

BOOST_AUTO_TEST_CASE(strangers_that_come_and_go_do_not_end_a_link) {
    const auto address = there.bind(LinkId{1}, "127.0.0.1");
    for (int count = 0; count < 5; ++count) {
        const Stranger stranger{port_of(address)};
        stranger.say("GET / HTTP/1.0\r\n\r\n");
    }
    here.connect(LinkId{2}, address);
    here.send(LinkId{2}, hello);
    BOOST_REQUIRE(until([&] { return !at_there.empty(); }));
    for (int count = 0; count < 20; ++count) {
        const Stranger stranger{port_of(address)};
        stranger.say(std::string(1000, static_cast<char>(count)));
        until([] { return false; }, 10ms);
    }
    here.send(LinkId{2}, HopAck{Epoch{3}, Hop{1}});
    BOOST_REQUIRE(until([&] { return at_there.size() == 2; }));
    BOOST_TEST(of<LinkDropped>(at_there).empty());
    BOOST_TEST(at_here.empty());
    here.close(LinkId{2});
    BOOST_REQUIRE(until([&] { return !of<LinkDropped>(at_there).empty(); }, 1s));
}

BOOST_AUTO_TEST_CASE(a_message_that_cannot_be_read_is_counted_and_the_next_one_is) {
    zmq::socket_t socket{context, zmq::socket_type::pair};
    socket.set(zmq::sockopt::linger, 0);
    socket.connect(there.bind(LinkId{1}, "127.0.0.1"));
    socket.send(zmq::str_buffer("rubbish"), zmq::send_flags::sndmore);
    socket.send(zmq::str_buffer("more"), zmq::send_flags::none);
    auto good = to_message(encode_link(hello));
    socket.send(good, zmq::send_flags::none);
    BOOST_REQUIRE(until([&] { return !at_there.empty(); }));
    BOOST_TEST(there.counters().malformed == 1);
    BOOST_TEST(there.counters().received == 1);
}

BOOST_AUTO_TEST_CASE(a_frame_over_the_limit_ends_the_link) {
    zmq::socket_t socket{context, zmq::socket_type::pair};
    socket.set(zmq::sockopt::linger, 0);
    socket.connect(there.bind(LinkId{1}, "127.0.0.1"));
    auto good = to_message(encode_link(hello));
    socket.send(good, zmq::send_flags::none);
    BOOST_REQUIRE(until([&] { return !at_there.empty(); }));
    socket.send(zmq::message_t{bytes_max + 1}, zmq::send_flags::none);
    BOOST_REQUIRE(until([&] { return !of<LinkDropped>(at_there).empty(); }));
}

BOOST_AUTO_TEST_CASE(a_range_of_ports_is_kept_and_its_end_is_told) {
    for (int attempt = 0; attempt < 10; ++attempt) {
        std::uint16_t first = 0;
        {
            Links probe{context, options()};
            first = port_of(probe.bind(LinkId{1}, "127.0.0.1"));
        }
        Links ranged{context, options({first, static_cast<std::uint16_t>(first + 1)})};
        std::set<std::uint16_t> ports;
        // libzmq closes the probe's port a moment later.
        const auto end = std::chrono::steady_clock::now() + 1s;
        for (std::uint64_t link = 1; ports.size() < 2 && std::chrono::steady_clock::now() < end; ++link) {
            if (const auto address = ranged.bind(LinkId{link}, "127.0.0.1"); !address.empty())
                ports.insert(port_of(address));
            else std::this_thread::yield();
        }
        for (const auto port : ports) BOOST_TEST((port == first || port == first + 1));
        if (ports.size() < 2) continue;  // somebody else on this machine has one of the two
        BOOST_TEST(ranged.bind(LinkId{0}, "127.0.0.1").empty());
        return;
    }
    BOOST_FAIL("no two neighbouring ports are free");
}

BOOST_AUTO_TEST_SUITE_END()

// The client port, the control port with its watch over ids, and the connections to peers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <thread>

#include "ring/daemon/clock.hpp"
#include "ring/transport/transport.hpp"

using namespace anel;
using namespace std::chrono_literals;

namespace {

/// Free a moment ago: the system does not hand it out again soon.
std::uint16_t free_port() {
    const int number = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    BOOST_REQUIRE_EQUAL(bind(number, reinterpret_cast<sockaddr*>(&at), length), 0);
    BOOST_REQUIRE_EQUAL(getsockname(number, reinterpret_cast<sockaddr*>(&at), &length), 0);
    close(number);
    return ntohs(at.sin_port);
}

std::map<NodeId, Endpoint> two_nodes() {
    return {{NodeId{0}, {"127.0.0.1", free_port()}}, {NodeId{1}, {"localhost", free_port()}}};
}

/// With one that has this id, too.
std::map<NodeId, Endpoint> two_nodes_and(std::uint64_t id) {
    auto nodes = two_nodes();
    nodes[NodeId{id}] = {"127.0.0.1", free_port()};
    return nodes;
}

constexpr std::size_t client_frame_bytes = 100'000;

struct Shell {
    Shell(zmq::context_t& context, NodeId self, Incarnation incarnation, const std::map<NodeId, Endpoint>& nodes,
          std::uint16_t control_port)
        : client_port{free_port()} {
        const TransportOptions options{.self = self,
                                       .incarnation = incarnation,
                                       .nodes = nodes,
                                       .bind_host = "127.0.0.1",
                                       .own_host = "127.0.0.1",
                                       .client_port = client_port,
                                       .control_port = control_port,
                                       .link_ports = {},
                                       .client_frame_bytes_max = client_frame_bytes,
                                       .link_frame_bytes_max = 1'000'000};
        auto opened = Transport::open(context, options, steady_now());
        // Sockets of this process that were closed a moment ago may still be there.
        for (int tries = 0; !opened && tries < 200; ++tries) {
            std::this_thread::sleep_for(10ms);
            opened = Transport::open(context, options, steady_now());
        }
        BOOST_REQUIRE_MESSAGE(opened, opened.error().text);
        transport = std::move(*opened);
    }
    void turn() {
        transport->wait(5ms, {});
        transport->receive_from_ring(inputs, steady_now());
        while (transport->clients_waiting()) {
            auto arrived = transport->next_from_client();
            if (!arrived) break;
            clients.push_back(std::move(*arrived));
        }
    }
    std::uint16_t client_port;
    std::unique_ptr<Transport> transport;
    std::vector<Input> inputs;
    std::vector<ClientArrived> clients;
};

bool until(std::vector<Shell*> shells, const std::function<bool()>& happened, std::chrono::milliseconds patience = 5s) {
    const auto end = steady_now() + patience;
    while (!happened()) {
        if (steady_now() > end) return false;
        for (auto* shell : shells) shell->turn();
    }
    return true;
}

zmq::socket_t client(zmq::context_t& context, zmq::socket_type type, std::uint16_t port) {
    zmq::socket_t socket{context, type};
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, 5000);
    socket.connect(tcp_address("127.0.0.1", port));
    return socket;
}

struct World {
    zmq::context_t context;
    std::map<NodeId, Endpoint> nodes = two_nodes();
    Shell make(std::uint64_t id, std::uint64_t incarnation) {
        return {context, NodeId{id}, Incarnation{incarnation}, nodes, nodes.at(NodeId{id}).port};
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ports, World)

BOOST_AUTO_TEST_CASE(control_messages_sent_before_the_connection_stands_arrive) {
    auto zero = make(0, 10);
    auto one = make(1, 11);
    zero.transport->perform(SendControl{NodeId{1}, Join{Epoch{4}}}, steady_now());
    BOOST_REQUIRE(until({&zero, &one}, [&] { return !one.inputs.empty(); }));
    const auto& arrived = std::get<ControlArrived>(one.inputs[0]);
    BOOST_TEST(arrived.from.value == 0);
    BOOST_TEST(arrived.incarnation.value == 10);
    BOOST_TEST((arrived.message == Control{Join{Epoch{4}}}));
}

BOOST_AUTO_TEST_CASE(a_node_started_again_is_reached_again) {
    auto zero = make(0, 10);
    std::optional<Shell> one{make(1, 11)};
    zero.transport->perform(SendControl{NodeId{1}, Join{Epoch{1}}}, steady_now());
    BOOST_REQUIRE(until({&zero, &*one}, [&] { return !one->inputs.empty(); }));
    one.reset();
    one.emplace(make(1, 12));
    one->transport->perform(SendControl{NodeId{0}, Join{Epoch{2}}}, steady_now());
    BOOST_REQUIRE(until({&zero, &*one}, [&] { return !zero.inputs.empty(); }));
    const auto before = steady_now();
    zero.transport->perform(SendControl{NodeId{1}, Join{Epoch{3}}}, steady_now());
    BOOST_REQUIRE(until({&zero, &*one}, [&] { return !one->inputs.empty(); }));
    BOOST_TEST((steady_now() - before < 500ms));
    BOOST_TEST(!one->transport->id_is_taken());
}

BOOST_AUTO_TEST_CASE(the_second_life_of_an_id_is_told_while_the_first_one_answers) {
    auto zero = make(0, 10);
    auto one = make(1, 11);
    Shell twin{context, NodeId{1}, Incarnation{12}, nodes, free_port()};
    one.transport->perform(SendControl{NodeId{0}, Join{Epoch{1}}}, steady_now());
    BOOST_REQUIRE(until({&zero, &one, &twin}, [&] { return zero.inputs.size() == 1; }));
    twin.transport->perform(SendControl{NodeId{0}, Join{Epoch{1}}}, steady_now());
    BOOST_TEST(until({&zero, &one, &twin}, [&] { return twin.transport->id_is_taken(); }));
    BOOST_TEST(!one.transport->id_is_taken());
}

BOOST_AUTO_TEST_CASE(a_silent_first_life_gives_way_and_is_told_when_it_wakes) {
    auto zero = make(0, 10);
    auto one = make(1, 11);
    Shell twin{context, NodeId{1}, Incarnation{12}, nodes, free_port()};
    one.transport->perform(SendControl{NodeId{0}, Join{Epoch{1}}}, steady_now());
    BOOST_REQUIRE(until({&zero, &one}, [&] { return zero.inputs.size() == 1; }));
    // From here on the first one does not run.
    const auto end = steady_now() + 1500ms;
    until({&zero, &twin}, [&] {
        twin.transport->perform(SendControl{NodeId{0}, Join{Epoch{1}}}, steady_now());
        return steady_now() > end;
    });
    BOOST_TEST(!twin.transport->id_is_taken());
    one.transport->perform(SendControl{NodeId{0}, Join{Epoch{1}}}, steady_now());
    BOOST_TEST(until({&zero, &one, &twin}, [&] { return one.transport->id_is_taken(); }));
    BOOST_TEST(!twin.transport->id_is_taken());
}

BOOST_AUTO_TEST_CASE(a_node_at_the_address_of_another_one_is_not_taken_for_it) {
    auto zero = make(0, 10);
    const auto call_for_a_while = [&](Shell& there) {
        const auto end = steady_now() + 1200ms;
        return until({&zero, &there}, [&] {
            zero.transport->perform(SendControl{NodeId{1}, Join{Epoch{1}}}, steady_now());
            return !there.inputs.empty() || steady_now() > end;
        });
    };
    {
        Shell two{context, NodeId{2}, Incarnation{12}, two_nodes_and(2), nodes.at(NodeId{1}).port};
        BOOST_TEST(call_for_a_while(two));
        BOOST_TEST(two.inputs.empty());
    }
    auto one = make(1, 11);
    BOOST_TEST(call_for_a_while(one));
    BOOST_TEST(!one.inputs.empty());
}

BOOST_AUTO_TEST_CASE(a_link_is_told_with_what_our_own_name_means_now) {
    const auto transport = Transport::open(context,
                                           {.self = NodeId{1},
                                            .incarnation = Incarnation{11},
                                            .nodes = nodes,  // where it is called localhost
                                            .bind_host = "127.0.0.1",
                                            .own_host = "127.0.0.9",
                                            .client_port = free_port(),
                                            .control_port = nodes.at(NodeId{1}).port,
                                            .link_ports = {}},
                                           steady_now());
    BOOST_REQUIRE_MESSAGE(transport, transport.error().text);
    std::vector<Input> inputs;
    LinkId link;
    const auto told = [&] {
        return (*transport)->perform(BindLink{link = LinkId{link.value + 1}}, steady_now()).address;
    };
    BOOST_TEST(told().starts_with("tcp://127.0.0.9:"));
    BOOST_TEST(until({}, [&] {
        (*transport)->wait(20ms, {});
        (*transport)->receive_from_ring(inputs, steady_now());
        return told().starts_with("tcp://127.0.0.1:");
    }));
}

BOOST_AUTO_TEST_CASE(who_answers_at_a_port_is_found_out) {
    BOOST_TEST(!who_answers_at(context, "127.0.0.1", free_port()).has_value());
    auto one = make(1, 11);
    std::atomic<bool> over{false};
    std::optional<IAm> answer;
    std::thread asking{[&] {
        answer = who_answers_at(context, "127.0.0.1", nodes.at(NodeId{1}).port);
        over = true;
    }};
    until(
        {&one}, [&] { return over.load(); }, 2s);
    asking.join();
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->id.value == 1);
    BOOST_TEST(answer->incarnation.value == 11);
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_told) {
    auto one = make(1, 11);
    const auto second = Transport::open(context,
                                        {.self = NodeId{0},
                                         .incarnation = Incarnation{9},
                                         .nodes = nodes,
                                         .bind_host = "127.0.0.1",
                                         .own_host = "127.0.0.1",
                                         .client_port = free_port(),
                                         .control_port = nodes.at(NodeId{1}).port,
                                         .link_ports = {}},
                                        steady_now());
    BOOST_REQUIRE(!second);
    BOOST_TEST((second.error().code == ErrorCode::address_in_use));
    BOOST_TEST(second.error().text.find(std::to_string(nodes.at(NodeId{1}).port)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(dealers_and_reqs_are_heard_and_answered) {
    auto zero = make(0, 10);
    auto dealer = client(context, zmq::socket_type::dealer, zero.client_port);
    auto req = client(context, zmq::socket_type::req, zero.client_port);
    dealer.send(zmq::str_buffer("from dealer"), zmq::send_flags::none);
    req.send(zmq::str_buffer("from req"), zmq::send_flags::none);
    BOOST_REQUIRE(until({&zero}, [&] { return zero.clients.size() == 2; }));
    for (const auto& arrived : zero.clients) {
        BOOST_TEST(arrived.connection.delimiter == (arrived.frame.text() == "from req"));
        zero.transport->perform(ReplyClient{arrived.connection, TextOk{Sequence{7}}});
    }
    zmq::message_t answer;
    BOOST_REQUIRE(dealer.recv(answer));
    BOOST_TEST(answer.to_string() == "OK 7");
    BOOST_REQUIRE(req.recv(answer));
    BOOST_TEST(answer.to_string() == "OK 7");
}

/// Its network was cut, or it died without a word: the connection before looks alive here for minutes.
BOOST_AUTO_TEST_CASE(a_client_that_comes_back_under_its_name_is_served_though_its_first_connection_stands) {
    auto zero = make(0, 10);
    const auto under_one_name = [&] {
        zmq::socket_t socket{context, zmq::socket_type::dealer};
        socket.set(zmq::sockopt::routing_id, "the same name");
        socket.set(zmq::sockopt::linger, 0);
        socket.set(zmq::sockopt::rcvtimeo, 5000);
        socket.set(zmq::sockopt::reconnect_ivl, -1);  // it would come back and take its name again
        socket.connect(tcp_address("127.0.0.1", zero.client_port));
        return socket;
    };
    auto first = under_one_name();
    first.send(zmq::str_buffer("first"), zmq::send_flags::none);
    BOOST_REQUIRE(until({&zero}, [&] { return zero.clients.size() == 1; }));
    auto second = under_one_name();
    second.send(zmq::str_buffer("second"), zmq::send_flags::none);
    BOOST_REQUIRE(until({&zero}, [&] { return zero.clients.size() == 2; }));
    BOOST_TEST(zero.clients[1].frame.text() == "second");
    zero.transport->perform(ReplyClient{zero.clients[1].connection, TextOk{Sequence{7}}});
    zmq::message_t answer;
    BOOST_REQUIRE(second.recv(answer));
    BOOST_TEST(answer.to_string() == "OK 7");
}

BOOST_AUTO_TEST_CASE(messages_of_too_many_frames_are_dropped_and_counted) {
    auto zero = make(0, 10);
    auto dealer = client(context, zmq::socket_type::dealer, zero.client_port);
    for (int frames = 2; frames < 6; ++frames) {
        for (int frame = 1; frame < frames; ++frame) dealer.send(zmq::str_buffer("x"), zmq::send_flags::sndmore);
        dealer.send(zmq::str_buffer("y"), zmq::send_flags::none);
    }
    dealer.send(zmq::message_t{}, zmq::send_flags::none);
    dealer.send(zmq::str_buffer("good"), zmq::send_flags::none);
    BOOST_REQUIRE(until({&zero}, [&] { return zero.clients.size() == 2; }));
    BOOST_TEST(zero.clients[0].frame.empty());
    BOOST_TEST(zero.clients[1].frame.text() == "good");
    BOOST_TEST(zero.transport->client_counters().malformed == 4);
}

BOOST_AUTO_TEST_CASE(a_frame_over_the_limit_cuts_the_sender_off_and_nobody_else) {
    auto zero = make(0, 10);
    auto bad = client(context, zmq::socket_type::dealer, zero.client_port);
    auto good = client(context, zmq::socket_type::dealer, zero.client_port);
    bad.send(zmq::message_t{client_frame_bytes + 1}, zmq::send_flags::none);
    good.send(zmq::message_t{client_frame_bytes}, zmq::send_flags::none);
    BOOST_REQUIRE(until({&zero}, [&] { return !zero.clients.empty(); }));
    BOOST_TEST(zero.clients[0].frame.size() == client_frame_bytes);
    until(
        {&zero}, [] { return false; }, 100ms);
    BOOST_TEST(zero.clients.size() == 1);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_or_is_gone_costs_dropped_answers_only) {
    auto zero = make(0, 10);
    {
        auto dealer = client(context, zmq::socket_type::dealer, zero.client_port);
        dealer.set(zmq::sockopt::rcvhwm, 1);
        dealer.send(zmq::str_buffer("hello"), zmq::send_flags::none);
        BOOST_REQUIRE(until({&zero}, [&] { return !zero.clients.empty(); }));
        const StatusReply large{std::string(100'000, 'x')};
        for (int count = 0; count < 2000; ++count) {
            zero.transport->perform(ReplyClient{zero.clients[0].connection, large});
        }
        BOOST_TEST(zero.transport->client_counters().dropped > 0);  // and not one of them was waited for
    }
    const auto dropped = zero.transport->client_counters().dropped;
    until(
        {&zero}, [] { return false; }, 200ms);
    zero.transport->perform(ReplyClient{zero.clients[0].connection, TextOk{Sequence{1}}});
    zero.transport->perform(ReplyClient{Connection{"nobody", false}, TextOk{Sequence{1}}});
    BOOST_TEST(zero.transport->client_counters().dropped == dropped + 2);
}

BOOST_AUTO_TEST_SUITE_END()

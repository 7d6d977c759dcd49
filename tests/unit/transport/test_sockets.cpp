// What a socket of ours does that one of libzmq's does not.
#include <boost/test/unit_test.hpp>
#include <chrono>

#include "ring/transport/sockets.hpp"

using namespace anel;
using namespace std::chrono_literals;

namespace {

bool waits_for_message(Socket& socket) {
    PollSet set;
    bool ready = false;
    set.add(socket, ready);
    set.wait(5000ms);
    return ready;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sockets)

/// Two answers have room here. A peer that reads each before it asks again never meets a queue that is full, also when
/// it is so quick that the next question is there before the one who answers looks up.
BOOST_AUTO_TEST_CASE(a_peer_that_reads_its_answers_at_once_loses_none) {
    zmq::context_t context;
    auto desk = open_socket(context, SocketKind::client_port, 1000, false);
    desk.raw().set(zmq::sockopt::sndhwm, 2);
    desk.raw().bind("tcp://127.0.0.1:*");
    auto reader = open_socket(context, SocketKind::control_peer, 1000, false);
    reader.raw().connect(desk.raw().get(zmq::sockopt::last_endpoint));
    zmq::pollitem_t standing{reader.raw().handle(), 0, ZMQ_POLLOUT, 0};
    BOOST_REQUIRE_EQUAL(zmq::poll(&standing, 1, 5000ms), 1);

    for (int question = 0; question < 50; ++question) {
        zmq::message_t frame{std::string{"?"}};
        BOOST_REQUIRE(reader.send(frame));
    }
    for (int answer = 0; answer < 50; ++answer) {
        zmq::message_t from;
        zmq::message_t question;
        if (!desk.receive(from)) {
            BOOST_REQUIRE(waits_for_message(desk));
            BOOST_REQUIRE(desk.receive(from));
        }
        BOOST_REQUIRE(desk.receive(question));
        zmq::message_t text{std::string{"!"}};
        BOOST_REQUIRE_MESSAGE(desk.send(from, zmq::send_flags::sndmore), "no room for answer " << answer);
        BOOST_REQUIRE(desk.send(text));
        zmq::message_t got;
        BOOST_REQUIRE(waits_for_message(reader));
        BOOST_REQUIRE(reader.receive(got));
    }
}

BOOST_AUTO_TEST_SUITE_END()

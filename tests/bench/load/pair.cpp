// The bare ring: processes that pass a small token round over ZeroMQ PAIR sockets and do nothing else.
#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "tests/bench/load/load.hpp"
#include "tests/bench/load/processes.hpp"

namespace anel::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t token_bytes = 64;
constexpr std::size_t farewell_bytes = 1;
constexpr auto bound_within = 30s;  // thousands of processes have to start first

std::uint16_t bind_anywhere(zmq::socket_t& socket) {
    socket.bind("tcp://127.0.0.1:*");
    const auto endpoint = socket.get(zmq::sockopt::last_endpoint);
    return static_cast<std::uint16_t>(std::stoul(endpoint.substr(endpoint.rfind(':') + 1)));
}

/// @throws std::runtime_error when the process binds no port in time
std::uint16_t port_of(std::size_t number, const Shared& process) {
    const auto deadline = Clock::now() + bound_within;
    while (process.port == 0) {
        if (Clock::now() >= deadline) {
            throw std::runtime_error{"its successor, process " + std::to_string(number) +
                                     ", has bound no port within " + std::to_string(bound_within.count()) + " s"};
        }
        std::this_thread::sleep_for(1ms);
    }
    return process.port;
}

void pass_on(zmq::socket_t& from, zmq::socket_t& to) {
    zmq::message_t token;
    for (std::size_t size = token_bytes; size != farewell_bytes;) {
        (void)from.recv(token);
        size = token.size();
        to.send(token, zmq::send_flags::none);
    }
}

/// Starts the token, counts its laps, and sends the farewell behind it.
void lead(zmq::socket_t& from, zmq::socket_t& to, const Load& load, Shared& mine) {
    Meter meter{load};
    zmq::message_t token{token_bytes};
    while (!meter.over()) {
        to.send(token, zmq::send_flags::none);
        (void)from.recv(token);
        meter.acked(0, 1);
    }
    to.send(zmq::message_t{farewell_bytes}, zmq::send_flags::none);
    (void)from.recv(token);
    mine.count = meter.messages();
}

}  // namespace

void run_pair(const Load& load) {
    const auto laps = run_processes(load.clients, [&](std::size_t number, Shared* all) {
        zmq::context_t context;
        zmq::socket_t from{context, zmq::socket_type::pair};
        zmq::socket_t to{context, zmq::socket_type::pair};
        all[number].port = bind_anywhere(from);
        const auto successor = (number + 1) % load.clients;
        to.connect("tcp://127.0.0.1:" + std::to_string(port_of(successor, all[successor])));
        if (number == 0) lead(from, to, load, all[0]);
        else pass_on(from, to);
    });
    report_count(laps, load.seconds);
}

}  // namespace anel::bench

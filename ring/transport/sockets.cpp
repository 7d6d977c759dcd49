#include "ring/transport/sockets.hpp"

#include <zmq.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "common/assert.hpp"
#include "common/result.hpp"
#include "ring/transport/address.hpp"

namespace anel {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds handshake_timeout{1000};
constexpr milliseconds connect_timeout{1000};
constexpr milliseconds reconnect_every{100};

// In messages. What matters is that nobody's silence fills our memory; lost ones are sent again by the core.
constexpr int client_frames_waiting_max = 64;
constexpr int client_answers_waiting_max = 1000;
/// Clients that come all at once, after a view change say, wait in the kernel for so many.
constexpr int client_backlog = 4096;
/// A client that vanished without a word is noticed within about two minutes.
constexpr int keepalive_idle_s = 60;
constexpr int keepalive_interval_s = 15;
constexpr int keepalive_probes = 4;
constexpr int control_waiting_max = 256;
constexpr int link_waiting_max = 64;

int as_int(milliseconds interval) { return static_cast<int>(interval.count()); }

zmq::socket_type type_of(SocketKind kind) {
    switch (kind) {
        case SocketKind::client_port:
        case SocketKind::control_port: return zmq::socket_type::router;
        case SocketKind::control_peer: return zmq::socket_type::dealer;
        case SocketKind::link_in:
        case SocketKind::link_out: return zmq::socket_type::pair;
    }
    ANEL_ASSERT(false);
}

void set_queues(zmq::socket_t& socket, int in, int out) {
    socket.set(zmq::sockopt::rcvhwm, in);
    socket.set(zmq::sockopt::sndhwm, out);
}
/// Without an authenticator behind it, a domain does one thing: peers of ZMTP 1 and 2 are refused. Otherwise almost
/// any bytes are a ZMTP 1 peer without a handshake, and a stranger's would take a link's one place.
void refuse_old_peers(zmq::socket_t& socket) { socket.set(zmq::sockopt::zap_domain, "anel"); }
void set_heartbeat(zmq::socket_t& socket, Heartbeat heartbeat) {
    socket.set(zmq::sockopt::heartbeat_ivl, as_int(heartbeat.every));
    socket.set(zmq::sockopt::heartbeat_timeout, as_int(heartbeat.timeout));
}

}  // namespace

Socket open_socket(zmq::context_t& context, SocketKind kind, std::size_t message_bytes_max, bool ipv6,
                   Heartbeat heartbeat) {
    zmq::socket_t socket{context, type_of(kind)};
    socket.set(zmq::sockopt::linger, 0);  // libzmq's default waits for ever on close
    socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(message_bytes_max));
    socket.set(zmq::sockopt::handshake_ivl, as_int(handshake_timeout));
    socket.set(zmq::sockopt::connect_timeout, as_int(connect_timeout));
    socket.set(zmq::sockopt::ipv6, ipv6);
    switch (kind) {
        case SocketKind::client_port:
            socket.set(zmq::sockopt::router_mandatory, true);  // a client that is gone is an error, not a black hole
            socket.set(zmq::sockopt::router_handover, true);   // one that comes back under its name is served
            socket.set(zmq::sockopt::backlog, client_backlog);
            socket.set(zmq::sockopt::tcp_keepalive, 1);
            socket.set(zmq::sockopt::tcp_keepalive_idle, keepalive_idle_s);
            socket.set(zmq::sockopt::tcp_keepalive_intvl, keepalive_interval_s);
            socket.set(zmq::sockopt::tcp_keepalive_cnt, keepalive_probes);
            set_queues(socket, client_frames_waiting_max, client_answers_waiting_max);
            break;
        case SocketKind::control_port:
            socket.set(zmq::sockopt::router_mandatory, true);
            set_queues(socket, control_waiting_max, control_waiting_max);
            set_heartbeat(socket, heartbeat);
            refuse_old_peers(socket);
            break;
        case SocketKind::control_peer:
            socket.set(zmq::sockopt::immediate, true);  // nothing is kept for a peer that is not there
            socket.set(zmq::sockopt::reconnect_ivl, as_int(reconnect_every));
            set_queues(socket, control_waiting_max, control_waiting_max);
            set_heartbeat(socket, heartbeat);
            break;
        case SocketKind::link_in:
            refuse_old_peers(socket);
            set_queues(socket, link_waiting_max, link_waiting_max);
            set_heartbeat(socket, heartbeat);
            break;
        case SocketKind::link_out:
            // A link lives as long as its one connection. What is sent while that is made waits for it.
            socket.set(zmq::sockopt::reconnect_ivl, -1);
            set_queues(socket, link_waiting_max, link_waiting_max);
            set_heartbeat(socket, heartbeat);
            break;
    }
    return Socket{std::move(socket)};
}

std::uint16_t bound_port(const zmq::socket_t& socket) {
    const auto bound = socket.get(zmq::sockopt::last_endpoint);
    const auto endpoint = parse_endpoint(std::string_view{bound}.substr(bound.find("//") + 2));
    ANEL_ASSERT(endpoint.has_value());
    return endpoint->port;
}

Monitor::Monitor(zmq::context_t& context, zmq::socket_t& of)
    : of_{of}, events_{zmq::socket_t{context, zmq::socket_type::pair}} {
    static std::atomic<std::uint64_t> made{0};
    const auto address = "inproc://monitor-" + std::to_string(++made);
    constexpr int wanted = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                           ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED;
    if (zmq_socket_monitor(of.handle(), address.c_str(), wanted) != 0) throw zmq::error_t{};
    events_.raw().set(zmq::sockopt::linger, 0);
    events_.raw().set(zmq::sockopt::rcvhwm, 0);
    events_.raw().connect(address);
}

Monitor::~Monitor() { zmq_socket_monitor(of_.handle(), nullptr, 0); }

std::optional<MonitorEvent> Monitor::next() {
    for (;;) {
        zmq::message_t event;
        zmq::message_t address;
        if (!events_.receive(event)) return std::nullopt;
        if (event.more()) static_cast<void>(events_.receive(address));
        std::uint16_t number = 0;
        std::int32_t value = 0;
        if (event.size() != sizeof number + sizeof value) continue;
        std::memcpy(&number, event.data(), sizeof number);
        std::memcpy(&value, static_cast<const char*>(event.data()) + sizeof number, sizeof value);
        switch (number) {
            case ZMQ_EVENT_ACCEPTED:
            case ZMQ_EVENT_CONNECTED: return MonitorEvent{ConnectionEvent::opened, value};
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return MonitorEvent{ConnectionEvent::greeted, -1};
            case ZMQ_EVENT_CLOSED: return MonitorEvent{ConnectionEvent::failed, value};
            case ZMQ_EVENT_DISCONNECTED: return MonitorEvent{ConnectionEvent::closed, value};
            default: break;
        }
    }
}

bool PollSet::ask_unsettled() {
    bool found = false;
    for (const auto& [socket, ready] : waiters_) {
        if (socket == nullptr || socket->settled_) continue;
        *ready = socket->has_message();
        found = found || *ready;
    }
    return found;
}

void PollSet::wait(std::optional<std::chrono::milliseconds> at_most) {
    const auto timeout = ask_unsettled() ? 0 : as_int(at_most.value_or(milliseconds{-1}));
    const int found = ::poll(descriptors_.data(), descriptors_.size(), timeout);
    ANEL_ASSERT(found >= 0 || errno == EINTR);
    if (found <= 0) return;
    for (std::size_t index = 0; index < descriptors_.size(); ++index) {
        if (descriptors_[index].revents == 0) continue;
        const auto& [socket, ready] = waiters_[index];
        *ready = true;
        if (socket != nullptr) socket->settled_ = false;
    }
}

}  // namespace anel

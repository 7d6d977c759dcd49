#include "ring/transport/transport.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace anel {
namespace {

std::string bind_address(const std::string& host, std::uint16_t port) {
    return is_ipv6(host) ? fmt::format("tcp://[{}]:{}", host, port) : fmt::format("tcp://{}:{}", host, port);
}

}  // namespace

Transport::Transport(zmq::context_t& context, const TransportOptions& options, std::string& binding)
    : control_{context,
               binding = bind_address(options.bind_host, options.control_port),
               options.self,
               options.incarnation,
               is_ipv6(options.own_host),
               options.heartbeat},
      clients_{context, binding = bind_address(options.bind_host, options.client_port), options.client_frame_bytes_max,
               is_ipv6(options.own_host), options.client_bounds},
      peers_{context, options.self, options.incarnation, options.nodes, is_ipv6(options.own_host), options.heartbeat},
      links_{context, LinkOptions{.bind_host = options.bind_host,
                                  .ipv6 = is_ipv6(options.own_host),
                                  .ports = options.link_ports,
                                  .frame_bytes_max = options.link_frame_bytes_max,
                                  .heartbeat = options.heartbeat}},
      own_host_{options.self, options.nodes.at(options.self).host, options.own_host} {}

Result<std::unique_ptr<Transport>> Transport::open(zmq::context_t& context, const TransportOptions& options,
                                                   Instant now) {
    std::string binding;
    try {
        auto transport = std::make_unique<Transport>(context, options, binding);
        transport->peers_.start(now);
        return transport;
    } catch (const zmq::error_t& error) {
        const auto code = error.num() == EADDRINUSE ? ErrorCode::address_in_use : ErrorCode::bad_configuration;
        return failure(code, fmt::format("{}: {}", binding, error.what()));
    }
}

void Transport::wait(std::optional<std::chrono::milliseconds> at_most,
                     const std::vector<std::pair<int, bool*>>& others) {
    set_.clear();
    for (const auto& [descriptor, ready] : others) set_.add(descriptor, *ready);
    control_.watch(set_);
    clients_.watch(set_);
    peers_.watch(set_);
    links_.watch(set_);
    own_host_.watch(set_);
    set_.wait(at_most);
}

void Transport::receive_from_ring(std::vector<Input>& inputs, Instant now) {
    links_.receive(inputs);
    peers_.receive(now);
    own_host_.receive();
    envelopes_.clear();
    control_.receive(envelopes_, now);
    for (auto& envelope : envelopes_) {
        peers_.heard_of(envelope.from, envelope.incarnation, now);
        inputs.push_back(ControlArrived{envelope.from, envelope.incarnation, std::move(envelope.message), CallId{}});
    }
}

LinkBound Transport::perform(const BindLink& action, Instant now) {
    own_host_.look_up(now);
    return {action.link, links_.bind(action.link, own_host_.numeric())};
}

std::optional<IAm> who_answers_at(zmq::context_t& context, const std::string& numeric_host, std::uint16_t port) {
    // A connection that is refused says at once what a silent socket would say after a while.
    if (!accepts_connections(numeric_host, port, 300)) return std::nullopt;
    constexpr std::uint64_t nonce = 1;
    auto socket = open_socket(context, SocketKind::control_peer, limits::control_bytes_max, is_ipv6(numeric_host));
    socket.raw().set(zmq::sockopt::immediate, false);
    socket.raw().connect(tcp_address(numeric_host, port));
    if (!send_frames(socket, {Blob::of(encode_control(Who{nonce}))})) return std::nullopt;
    socket.raw().set(zmq::sockopt::rcvtimeo, 700);
    zmq::message_t answer;
    if (!socket.raw().recv(answer)) return std::nullopt;
    const auto frame = decode_control({static_cast<const std::byte*>(answer.data()), answer.size()});
    const auto* i_am = frame ? std::get_if<IAm>(&*frame) : nullptr;
    return i_am != nullptr && i_am->nonce == nonce ? std::optional{*i_am} : std::nullopt;
}

}  // namespace anel

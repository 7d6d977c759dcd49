// Every socket of this node, behind one wait. One thread owns it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ring/core/io.hpp"
#include "ring/transport/address.hpp"
#include "ring/transport/client_port.hpp"
#include "ring/transport/control_port.hpp"
#include "ring/transport/links.hpp"
#include "ring/transport/own_host.hpp"
#include "ring/transport/peers.hpp"

namespace anel {

struct TransportOptions {
    NodeId self;
    Incarnation incarnation;
    std::map<NodeId, Endpoint> nodes;  ///< control ports of all nodes, our own included
    std::string bind_host;             ///< numeric, or `*`
    std::string own_host;              ///< numeric: where the others reach us now
    std::uint16_t client_port = 0;
    std::uint16_t control_port = 0;
    PortRange link_ports;
    std::size_t client_frame_bytes_max = 0;
    ClientBounds client_bounds{};
    std::size_t link_frame_bytes_max = 0;
    Heartbeat heartbeat{};
};

class Transport {
public:
    /// Opens both ports and begins to connect the peers. `address_in_use`, or `bad_configuration` where the address
    /// cannot be bound for another reason.
    [[nodiscard]] static Result<std::unique_ptr<Transport>> open(zmq::context_t& context,
                                                                 const TransportOptions& options, Instant now);

    /// Waits until something comes, on a socket or one of `others`, or the time is over.
    /// @param others  descriptors that are not ours, each with where to say that it has something.
    void wait(std::optional<std::chrono::milliseconds> at_most, const std::vector<std::pair<int, bool*>>& others);

    /// What the other nodes said, and what became of the links.
    void receive_from_ring(std::vector<Input>& inputs, Instant now);
    /// One frame of a client; clients come last, and some at a time.
    [[nodiscard]] std::optional<ClientArrived> next_from_client() { return clients_.next(); }
    [[nodiscard]] bool clients_waiting() const { return clients_.readable(); }

    void perform(const SendControl& action, Instant now) { peers_.send(action.to, action.message, now); }
    [[nodiscard]] LinkBound perform(const BindLink& action, Instant now);
    void perform(const ConnectLink& action) { links_.connect(action.link, action.address); }
    void perform(const CloseLink& action) { links_.close(action.link); }
    void perform(const SendLink& action) { links_.send(action.link, action.message); }
    void perform(const ReplyClient& action) { clients_.reply(action.connection, action.reply); }

    /// Another node shows this one's figures to somebody; its question waits for tell_figures().
    [[nodiscard]] bool figures_asked() const { return control_.figures_asked(); }
    void tell_figures(const std::string& json) { control_.tell_figures(json); }

    /// Another life of our id answers in this ring.
    [[nodiscard]] bool id_is_taken() const { return peers_.id_is_taken(); }
    /// The last words to clients and nodes still go while the sockets close, for so long.
    void finish(std::chrono::milliseconds linger) {
        clients_.finish(linger);
        peers_.finish(linger);
    }

    [[nodiscard]] const LinkCounters& link_counters() const { return links_.counters(); }
    [[nodiscard]] const ClientCounters& client_counters() const { return clients_.counters(); }
    [[nodiscard]] GuardCounters guard_counters() const { return clients_.guard_counters(); }
    [[nodiscard]] const ControlCounters& control_counters() const { return control_.counters(); }

    /// Throws zmq::error_t; open() is the way in.
    Transport(zmq::context_t& context, const TransportOptions& options, std::string& binding);

private:
    ControlPort control_;
    ClientPort clients_;
    Peers peers_;
    Links links_;
    OwnHost own_host_;
    PollSet set_;
    std::vector<ControlEnvelope> envelopes_;
};

/// Asks whoever answers at our own place in the ring for its id and life. Blocks for at most about a second.
/// @return nothing where nobody answers, which is as it should be before we bind.
[[nodiscard]] std::optional<IAm> who_answers_at(zmq::context_t& context, const std::string& numeric_host,
                                                std::uint16_t port);

}  // namespace anel

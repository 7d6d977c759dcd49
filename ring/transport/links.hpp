// The PAIR sockets of this node. A link has one connection in its life; when that is gone, so is the link.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ring/core/io.hpp"
#include "ring/transport/frames.hpp"
#include "ring/transport/sockets.hpp"

namespace anel {

struct PortRange {
    std::uint16_t first = 0;  ///< 0: the system chooses
    std::uint16_t last = 0;
    friend bool operator==(const PortRange&, const PortRange&) = default;
};

struct LinkOptions {
    std::string bind_host;  ///< numeric, or `*`
    bool ipv6 = false;
    PortRange ports;
    std::size_t frame_bytes_max = 0;
    Heartbeat heartbeat{};
};

struct LinkCounters {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;    ///< sends that found no room or no connection
    std::uint64_t malformed = 0;  ///< messages that could not be read
    std::uint64_t dropped = 0;    ///< links whose connection went away
};

class Links {
public:
    Links(zmq::context_t& context, LinkOptions options);
    ~Links();

    /// @param own_host  numeric, what the peer is told
    /// @return the address to tell; empty where no port is free, and then the link does not exist.
    [[nodiscard]] std::string bind(LinkId link, const std::string& own_host);
    /// Where it cannot be done, LinkDropped follows.
    void connect(LinkId link, const std::string& address);
    void close(LinkId link);
    /// Never waits. What does not go is lost; the core sends it again.
    void send(LinkId link, const LinkMessage& message);

    void watch(PollSet& set);
    /// What arrived and what went away since.
    void receive(std::vector<Input>& inputs);
    [[nodiscard]] const LinkCounters& counters() const { return counters_; }

private:
    struct Link;
    [[nodiscard]] bool bind_to_any_port(zmq::socket_t& socket);
    void receive_from(Link& link, LinkId id, std::vector<Input>& inputs);
    /// Reads the monitor; says whether the link's own connection is gone.
    [[nodiscard]] bool is_gone(Link& link);

    zmq::context_t& context_;
    LinkOptions options_;
    std::map<LinkId, std::unique_ptr<Link>> links_;
    std::set<LinkId> dropped_;  ///< found while sending or connecting; told with the next receive
    std::uint16_t next_port_ = 0;
    LinkCounters counters_;
};

}  // namespace anel

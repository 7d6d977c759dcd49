// What lies between the nodes: control messages that may do anything, and links that behave like PAIR over TCP.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "ring/core/io.hpp"
#include "tests/simulation/world.hpp"

namespace anel::simulation {

class Network {
public:
    /// `arrive` gives an input to a process, or loses it when that is dead.
    using Arrive = std::function<void(Process to, Input input)>;
    /// Who hears what is sent to a node: with two processes of one id it may be either.
    using Resolve = std::function<Process(NodeId)>;
    using ReadCallWord = std::function<CallId(NodeId)>;

    Network(World& world, Arrive arrive, Resolve resolve, ReadCallWord call_word)
        : world_{world}, arrive_{std::move(arrive)}, resolve_{std::move(resolve)}, call_word_{std::move(call_word)} {}
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    ~Network();

    void send_control(NodeId from, Incarnation incarnation, NodeId to, Control message);

    /// Returns the address.
    std::string bind(Process process, LinkId link);
    void connect(Process process, LinkId link, const std::string& address);
    void close(Process process, LinkId link);
    void send_link(Process process, LinkId link, LinkMessage message);
    /// The process ended: its sockets go, their peers hear of it.
    void process_died(Process process);

    // --- faults ----------------------------------------------------------------------------------
    void cut(NodeId from, NodeId to) { cut_.insert({from, to}); }
    void heal() { cut_.clear(); }
    /// None of its links stands until the next heal_links().
    void deafen(NodeId node);
    void heal_links() { deaf_.clear(); }
    /// What is under way between processes of one machine is gone with its power.
    void power_cut();
    /// Some control message of earlier, perhaps of another life or epoch, comes once more.
    void repeat_stale_control();
    [[nodiscard]] bool is_cut(NodeId from, NodeId to) const { return cut_.contains({from, to}); }
    void reset_some_link();

private:
    struct Endpoint;
    struct Pipe;
    struct SentControl {
        NodeId from;
        Incarnation incarnation;
        NodeId to;
        Control message;
        std::uint64_t boot = 0;
    };
    using SharedEndpoint = std::shared_ptr<Endpoint>;
    using SharedPipe = std::shared_ptr<Pipe>;

    [[nodiscard]] Duration delay();
    void attempt(const SharedEndpoint& connector, const std::string& address, SimTime until);
    void deliver_control(const SentControl& sent);
    void visit_by_stranger(const SharedEndpoint& endpoint);
    [[nodiscard]] bool is_hindered(const Endpoint& one, const Endpoint& other) const;
    void put_on_wire(const SharedPipe& pipe, std::size_t from, LinkMessage message);
    void deliver(const SharedPipe& pipe, std::size_t from);
    void end(const SharedEndpoint& endpoint, Duration notice_after);
    void drop_later(const SharedPipe& pipe, std::size_t side, Duration after);
    void tell_dropped(const SharedEndpoint& endpoint);

    World& world_;
    Arrive arrive_;
    Resolve resolve_;
    ReadCallWord call_word_;
    std::map<std::pair<Process, LinkId>, SharedEndpoint> endpoints_;
    std::map<std::string, SharedEndpoint> bound_;
    std::set<std::pair<NodeId, NodeId>> cut_;
    std::set<NodeId> deaf_;
    // What was said lately, for those who hear it too late.
    std::uint64_t boot_ = 0;
    std::deque<SentControl> old_control_;
    std::deque<LinkMessage> old_link_messages_;
    std::map<std::pair<NodeId, NodeId>, SimTime> last_control_;  ///< the latest arrival between two
};

}  // namespace anel::simulation

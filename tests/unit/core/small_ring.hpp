// A few whole nodes, an instant network and a ledger in memory: enough to see that the rooms fit together. Faults,
// delays and crashes at every step are the simulator's (tests/simulation).
#pragma once

#include <boost/test/unit_test.hpp>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ring/core/node.hpp"

namespace anel::testing {

/// The shared ledger. Every round it ever decided, in order.
struct MemoryLedger {
    struct Segment {
        Epoch epoch;
        bool sealed = false;
    };
    std::vector<Segment> segments;
    std::vector<RoundResult> rounds;
    std::string output;
    Round durable;
    std::map<NodeId, CallId> call_words;
    bool disk_full = false;
    bool room_for_segments = false;       ///< also on a full disk
    std::uint64_t rounds_in_file = 0;     ///< more begin a new file of the output; 0: there is one
    std::vector<std::uint64_t> files{0};  ///< rounds before each file of the output

    Tip tip() const {
        Tip tip;
        tip.segment = {segments.size()};
        if (!segments.empty()) tip.epoch = segments.back().epoch;
        if (rounds.empty()) return tip;
        tip.round = rounds.back().round;
        tip.sequence = {rounds.back().first.value + rounds.back().count - 1};
        tip.wall_us = rounds.back().wall_us;
        return tip;
    }
    History read(Round applied) const {
        return {std::nullopt, {rounds.begin() + static_cast<std::ptrdiff_t>(applied.value), rounds.end()}, tip()};
    }
    bool writable(SegmentNumber segment) const {
        return segment.value == segments.size() && !segments[segment.value - 1].sealed;
    }
    void add_segment(Epoch epoch) {
        if (!segments.empty()) segments.back().sealed = true;
        segments.push_back({epoch, false});
    }
};

struct SmallRing {
    using Link = std::pair<NodeId, LinkId>;
    struct Host {
        NodeConfig config;
        Incarnation incarnation;
        std::optional<Node> node;
        bool stopped = false;  ///< it said Stop
        std::map<std::string, std::vector<ClientReply>> replies;
        std::size_t steps = 0;
    };
    struct Mail {
        NodeId to;
        Incarnation incarnation;
        Input input;
    };

    MemoryLedger ledger;
    std::map<NodeId, Host> hosts;
    std::map<std::string, Link> bound;  ///< by address
    std::map<Link, Link> peers;         ///< both directions of what is connected
    std::deque<Mail> mail;
    Duration link_delay{0};                       ///< of each message over a link
    std::multimap<Instant, Mail> late;            ///< under way for so long
    std::set<NodeId> cut;                         ///< no control or link message to or from these
    std::set<std::pair<NodeId, NodeId>> apart;    ///< nor between these, the lower id first
    std::set<NodeId> deaf;                        ///< they answer, but no link to or from them stands
    std::set<NodeId> barred;                      ///< they answer, and whoever links to them is refused at once
    std::set<std::pair<NodeId, NodeId>> one_way;  ///< no link from the first to the second stands
    std::set<NodeId> stuck;                       ///< their syncs never end
    std::set<NodeId> without_room;                ///< they find no space for a segment
    std::function<bool(const Control&)> lose;     ///< these control messages do not arrive
    std::function<void(NodeId)> decided;          ///< called behind each decide; may kill
    Instant now{std::chrono::seconds{100}};
    std::uint64_t lives = 0;
    bool outcome_not_last = false;  ///< the contract of Action was broken
    bool tokens_lost = false;
    std::size_t hops = 0;
    std::size_t checkpoints = 0;

    explicit SmallRing(std::size_t count, const NodeConfig& base = {}) {
        std::set<NodeId> nodes;
        for (std::uint64_t id = 0; id < count; ++id) nodes.insert({id});
        for (const auto id : nodes) {
            auto config = base;
            config.self = id;
            config.nodes = nodes;
            hosts[id].config = config;
        }
    }
    Moment moment() const { return {now, now.time_since_epoch().count()}; }

    void boot(std::uint64_t id) {
        auto& host = hosts[{id}];
        host.incarnation = {++lives};
        host.stopped = false;
        host.node.emplace(host.config, host.incarnation, LedgerId{1}, ledger.read({}), std::mt19937_64{lives},
                          moment());
    }
    void boot_all() {
        for (const auto& [id, host] : hosts) boot(id.value);
    }
    void kill(std::uint64_t id) {
        hosts[{id}].node.reset();
        const auto links = peers;
        for (const auto& [link, peer] : links) {
            if (link.first == NodeId{id}) disconnect(link);
        }
    }
    void disconnect(const Link& link) {
        const auto found = peers.find(link);
        if (found == peers.end()) return;
        const auto peer = found->second;
        peers.erase(link);
        peers.erase(peer);
        post(peer.first, LinkDropped{peer.second});
    }
    void post(NodeId to, Input input) { mail.push_back({to, hosts[to].incarnation, std::move(input)}); }
    bool reachable(NodeId from, NodeId to) const {
        return !cut.contains(from) && !cut.contains(to) && !apart.contains(std::minmax(from, to));
    }

    void step(NodeId id, Input input) {
        std::optional<Input> next = std::move(input);
        while (next) {
            auto& host = hosts[id];
            if (!host.node) return;
            ++host.steps;
            const auto actions = host.node->step(*next, moment());
            next.reset();
            for (std::size_t index = 0; index < actions.size(); ++index) {
                auto outcome = perform(id, host, actions[index]);
                if (!host.node) return;
                if (!outcome) continue;
                if (index + 1 != actions.size()) outcome_not_last = true;
                next = std::move(outcome);
            }
        }
    }

    std::optional<Input> perform(NodeId id, Host& host, const Action& action) {
        return std::visit([&](const auto& kind) { return act(id, host, kind); }, action);
    }
    std::optional<Input> act(NodeId id, Host& host, const SendControl& send) {
        if (!reachable(id, send.to) || !hosts[send.to].node || (lose && lose(send.message))) return {};
        const auto* call = std::get_if<Call>(&send.message);
        post(send.to, ControlArrived{id, host.incarnation, send.message, call ? ledger.call_words[id] : CallId{}});
        return {};
    }
    std::optional<Input> act(NodeId id, Host& host, const BindLink& bind) {
        const auto address = std::to_string(id.value) + "." + std::to_string(host.incarnation.value) + "." +
                             std::to_string(bind.link.value);
        bound[address] = {id, bind.link};
        return LinkBound{bind.link, address};
    }
    std::optional<Input> act(NodeId id, Host&, const ConnectLink& connect) {
        const auto found = bound.find(connect.address);
        if (found == bound.end() || peers.contains(found->second) || !hosts[found->second.first].node) return {};
        if (deaf.contains(id) || deaf.contains(found->second.first)) return {};
        if (one_way.contains({id, found->second.first})) return {};
        if (barred.contains(found->second.first)) {
            post(id, LinkDropped{connect.link});
            return {};
        }
        peers[{id, connect.link}] = found->second;
        peers[found->second] = {id, connect.link};
        return {};
    }
    std::optional<Input> act(NodeId id, Host&, const CloseLink& close) {
        std::erase_if(bound, [&](const auto& entry) { return entry.second == Link{id, close.link}; });
        disconnect({id, close.link});
        return {};
    }
    std::optional<Input> act(NodeId id, Host&, const SendLink& send) {
        const auto found = peers.find({id, send.link});
        if (found == peers.end() || !reachable(id, found->second.first)) return {};
        if (std::holds_alternative<Token>(send.message)) {
            if (tokens_lost) return {};
            ++hops;
        }
        const auto [to, link] = found->second;
        if (link_delay == Duration{0}) post(to, LinkArrived{link, send.message});
        else late.emplace(now + link_delay, Mail{to, hosts[to].incarnation, LinkArrived{link, send.message}});
        return {};
    }
    std::optional<Input> act(NodeId, Host& host, const ReplyClient& reply) {
        host.replies[reply.connection.routing_id].push_back(reply.reply);
        return {};
    }
    std::optional<Input> act(NodeId id, Host&, const SetCallWord& word) {
        ledger.call_words[id] = word.call;
        return {};
    }
    std::optional<Input> act(NodeId id, Host&, const AskGrant& ask) {
        const auto tip = ledger.tip();
        if (tip.epoch > ask.highest_named) return GrantRefused{tip.epoch};
        const bool no_room = ledger.disk_full && !ledger.room_for_segments;
        if (no_room || without_room.contains(id)) return GrantRefused{tip.epoch, true};
        ledger.add_segment(ask.highest_named.next());
        ledger.durable = tip.round;
        return Granted{{ask.highest_named.next(), {ledger.segments.size()}}, ledger.read(ask.applied)};
    }
    std::optional<Input> act(NodeId, Host&, const CatchUp& ask) { return CaughtUp{ledger.read(ask.applied)}; }
    std::optional<Input> act(NodeId id, Host&, const DecideRound& ask) {
        const auto& record = ask.record;
        if (!ledger.writable(ask.segment) || record.round != ledger.tip().round.next())
            return RoundRefused{DecideRefusal::fenced};
        if (ledger.disk_full) return RoundRefused{DecideRefusal::disk_full};
        if (ledger.rounds_in_file != 0 && ledger.rounds.size() - ledger.files.back() >= ledger.rounds_in_file) {
            return OutputFull{record};
        }
        BOOST_REQUIRE_EQUAL(record.first.value, ledger.tip().sequence.value + 1);
        ledger.rounds.push_back({ask.segment, record.round, record.first, record.count, record.wall_us,
                                 record.text.size(), record.changes});
        ledger.output += record.text;
        if (decided) decided(id);
        return RoundDecided{};
    }
    std::optional<Input> act(NodeId, Host&, const WriteOutput&) { return OutputWritten{}; }
    std::optional<Input> act(NodeId id, Host&, const MakeDurable& make) {
        if (stuck.contains(id)) return {};
        ledger.durable = std::max(ledger.durable, make.round);
        post(id, BecameDurable{make.round});
        return {};
    }
    std::optional<Input> act(NodeId, Host&, const RotateSegment& rotate) {
        if (!ledger.writable(rotate.current)) return RotationFenced{};
        if (ledger.disk_full && !ledger.room_for_segments) return RoundRefused{DecideRefusal::disk_full};
        if (rotate.new_output) ledger.files.push_back(ledger.rounds.size());
        ledger.add_segment(ledger.segments.back().epoch);
        return Rotated{{ledger.segments.size()}};
    }
    std::optional<Input> act(NodeId, Host&, const WriteCheckpoint&) {
        ++checkpoints;
        return {};
    }
    std::optional<Input> act(NodeId, Host&, const ReadWords& ask) {
        return WordsRead{ask.segment, {!ledger.writable(ask.segment), ledger.tip().round, ledger.durable}};
    }
    std::optional<Input> act(NodeId, Host& host, const Stop&) {
        host.stopped = true;
        return {};
    }

    void deliver() {
        for (std::size_t count = 0; !mail.empty(); ++count) {
            BOOST_REQUIRE_MESSAGE(count < 200'000, "the ring talks without end and no time passes");
            const auto next = std::move(mail.front());
            mail.pop_front();
            if (hosts[next.to].incarnation == next.incarnation) step(next.to, next.input);
        }
    }
    std::optional<Instant> next_wakeup() const {
        std::optional<Instant> soonest;
        if (!late.empty()) soonest = late.begin()->first;
        for (const auto& [id, host] : hosts) {
            const auto due = host.node ? host.node->next_wakeup() : std::nullopt;
            if (due && (!soonest || *due < *soonest)) soonest = due;
        }
        return soonest;
    }
    void run(Duration time) {
        const auto until = now + time;
        deliver();
        for (auto due = next_wakeup(); due && *due <= until; due = next_wakeup()) {
            now = std::max(now, *due);
            for (; !late.empty() && late.begin()->first <= now; late.erase(late.begin()))
                mail.push_back(late.begin()->second);
            deliver();
            for (auto& [id, host] : hosts) {
                if (!host.node || !host.node->next_wakeup() || *host.node->next_wakeup() > now) continue;
                // A few times in a row is a chain of turns; more is a processor that burns for nothing.
                for (int turn = 0; host.node && host.node->next_wakeup() && *host.node->next_wakeup() <= now; ++turn) {
                    BOOST_REQUIRE_MESSAGE(turn < 4, "node " << id.value << " was woken in phase "
                                                            << name_of(host.node->status().phase)
                                                            << " and wants to be woken at once again");
                    step(id, Ticked{});
                }
            }
            deliver();
        }
        now = until;
    }
    void say(std::uint64_t id, const std::string& from, const Blob& frame) {
        step({id}, ClientArrived{{from, false}, frame});
    }

    NodeStatus status(std::uint64_t id) const { return hosts.at({id}).node->status(); }
    std::size_t running() const {
        std::size_t count = 0;
        for (const auto& [id, host] : hosts) count += host.node && host.node->status().phase == Phase::operational;
        return count;
    }
    template <class Reply>
    std::vector<Reply> told(std::uint64_t id, const std::string& connection) {
        std::vector<Reply> found;
        for (const auto& reply : hosts[{id}].replies[connection]) {
            if (const auto* wanted = std::get_if<Reply>(&reply)) found.push_back(*wanted);
        }
        return found;
    }
};

}  // namespace anel::testing

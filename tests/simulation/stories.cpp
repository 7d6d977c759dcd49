#include "tests/simulation/stories.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/story_client.hpp"

namespace anel::simulation {

using namespace std::chrono_literals;

/// A ring of three that rests, a client at each node, and the hand that lets something happen.
class Storyteller {
public:
    Storyteller(std::uint64_t seed, const Plan& plan, std::function<void(const std::string&)> sink)
        : simulation_{seed, plan,
                      [this, sink = std::move(sink)](const std::string& line) {
                          if (!awaited_.empty() && line.find(awaited_) != std::string::npos) awaited_.clear();
                          if (sink) sink(line);
                      }},
          world_{simulation_.world()} {
        for (const auto* id : {"a", "b", "c"}) {
            clients_.push_back(
                std::make_unique<StoryClient>(world_, simulation_.mail_, simulation_.judge_, std::string{id}));
        }
    }

    void tell(const std::function<void(Storyteller&)>& story) {
        for (auto& host : simulation_.hosts_) host->start();
        rest();
        // The first node last: the token comes to rest there.
        for (std::size_t index = clients_.size(); index-- > 0;) {
            clients_[index]->meet(NodeId{index});
            rest();
        }
        for (auto& client : clients_) {
            client->say(fmt::format("good morning {}", greetings_++));
            rest();
        }
        world_.tell([] { return "--- the picture begins"; });
        story(*this);
        rest();
        world_.tell([] { return "--- the picture ends"; });
        start_all();
        rest();
        simulation_.check_agreement();
        simulation_.judge_.check_end();
    }

    // --- what a story is made of -------------------------------------------------------------------
    [[nodiscard]] Host& holder() {
        for (auto& host : simulation_.hosts_) {
            if (host->alive() && host->node()->status().holder) return *host;
        }
        throw Violation{"nobody holds the token"};
    }
    [[nodiscard]] Host& behind(const Host& host, std::uint64_t by = 1) {
        return *simulation_.hosts_[(host.node_id().value + by) % simulation_.hosts_.size()];
    }
    [[nodiscard]] StoryClient& client_of(const Host& host) { return *clients_[host.node_id().value]; }
    void say(const Host& host, const std::string& payload) { client_of(host).say(payload); }
    void wait(Duration length) { simulation_.run_until(world_.now() + length); }
    void cut_power() { simulation_.cut_power(); }
    void start_all() {
        for (auto& host : simulation_.hosts_) host->start();
    }
    /// What stands on the volume, for people.
    void tell_volume() {
        world_.tell([&] {
            return fmt::format("volume: round {}, durable {}, output.txt has {} bytes",
                               simulation_.volume_.tip().round.value, simulation_.volume_.durable().value,
                               simulation_.volume_.output.size());
        });
    }

    /// Until a line of the trace has this text.
    void until_told(const std::string& text) {
        awaited_ = text;
        until([this] { return awaited_.empty(); }, text);
    }
    /// Until the nodes that run are in one view of their own, and one of them keeps the token.
    void ring_rests() {
        until([this] { return is_ring_at_rest(); }, "the ring rests");
    }
    /// Until nobody sleeps either, and the clients have their acks.
    void rest() {
        until([this] { return is_ring_at_rest() && nobody_sleeps() && clients_rest(); }, "everything rests");
    }

private:
    void until(const std::function<bool()>& holds, const std::string& what) {
        const auto end = world_.now() + 10s;
        while (!holds()) {
            if (world_.events.empty() || world_.events.next_time() > end) {
                throw Violation{"it did not come to this: " + what + simulation_.describe_stuck()};
            }
            world_.events.run_one();
        }
    }

    [[nodiscard]] bool is_ring_at_rest() const {
        std::vector<NodeStatus> awake;
        for (const auto& host : simulation_.hosts_) {
            if (host->alive() && !host->paused()) awake.push_back(host->node()->status());
        }
        const auto stands = [&](const NodeStatus& status) {
            return status.phase == Phase::operational && status.view->members.size() == awake.size();
        };
        const auto parked = std::count_if(awake.begin(), awake.end(), [](const auto& status) { return status.parked; });
        return std::all_of(awake.begin(), awake.end(), stands) && parked == 1 &&
               simulation_.volume_.durable() == simulation_.volume_.tip().round;
    }
    [[nodiscard]] bool nobody_sleeps() const {
        return std::none_of(simulation_.hosts_.begin(), simulation_.hosts_.end(),
                            [](const auto& host) { return host->paused(); });
    }
    [[nodiscard]] bool clients_rest() const {
        return std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->at_rest(); });
    }

    std::string awaited_;
    Simulation simulation_;
    World& world_;
    std::vector<std::unique_ptr<StoryClient>> clients_;
    std::uint64_t greetings_ = 1;
};

namespace {

/// One hop takes 0.2 ms, a sync 1 to 2 ms: near to life, and slow enough to be seen.
Plan plan_of_stories() {
    Plan plan;
    plan.nodes = 3;
    plan.clients = 0;
    plan.text_clients = 0;
    plan.delay_min = 200us;
    plan.delay_max = 200us;
    plan.sync_max = 2ms;
    for (std::uint64_t id = 0; id < plan.nodes; ++id) plan.config.nodes.insert(NodeId{id});
    return plan;
}

/// Work at all three: a lap gathers the bids of those who come too late for the round at once.
void lap(Storyteller& teller) {
    auto& holder = teller.holder();
    teller.say(holder, "first");
    teller.until_told("-> decide");
    teller.say(teller.behind(holder), "second");
    teller.say(teller.behind(holder, 2), "third");
}

/// The ring rests and one message comes, at a node that does not hold the token.
void standing_votes(Storyteller& teller) { teller.say(teller.behind(teller.holder()), "hello"); }

/// The holder dies: what it was given is decided, not written, and nobody was told.
void killed_holder(Storyteller& teller) {
    auto& holder = teller.holder();
    teller.say(teller.behind(holder), "hello");
    teller.until_told("-> write_output");
    holder.kill("kill -9");
}

/// The holder freezes in front of a decide and wakes when the others have long gone on.
void fenced_sleeper(Storyteller& teller) {
    auto& holder = teller.holder();
    auto& client = teller.client_of(holder);
    teller.say(holder, "hello");
    teller.until_told("-> decide");
    holder.pause(1s);
    teller.say(teller.behind(holder), "anybody there?");
    teller.ring_rests();
    client.meet(teller.behind(holder).node_id());
}

/// The power goes behind the write and before the sync.
void power_cut(Storyteller& teller) {
    auto& holder = teller.holder();
    teller.say(holder, "hello");
    teller.until_told("-> make_durable");
    teller.tell_volume();
    teller.cut_power();
    teller.tell_volume();
    teller.wait(100ms);
    teller.start_all();
    teller.ring_rests();
    teller.client_of(holder).meet(holder.node_id());
    teller.rest();
    teller.tell_volume();
}

struct Story {
    std::string_view name;
    void (*tell)(Storyteller&);
    std::uint64_t seed = 1;  ///< of the power cut: one that takes the record and leaves most of its text
};
constexpr Story stories[] = {{"lap", lap},
                             {"standing_votes", standing_votes},
                             {"killed_holder", killed_holder},
                             {"fenced_sleeper", fenced_sleeper},
                             {"power_cut", power_cut, 3}};

}  // namespace

std::vector<std::string_view> story_names() {
    std::vector<std::string_view> names;
    for (const auto& story : stories) names.push_back(story.name);
    return names;
}

Verdict run_story(std::string_view name, std::optional<std::uint64_t> seed,
                  std::function<void(const std::string&)> sink) {
    for (const auto& story : stories) {
        if (story.name != name) continue;
        Storyteller teller{seed.value_or(story.seed), plan_of_stories(), std::move(sink)};
        Verdict verdict;
        try {
            teller.tell(story.tell);
        } catch (const std::exception& broken) {
            verdict.broken = broken.what();
        }
        return verdict;
    }
    Verdict unknown;
    unknown.broken = fmt::format("there is no story '{}'", name);
    return unknown;
}

}  // namespace anel::simulation

// One world from one seed: assembles it, runs its phases, says what broke.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/client.hpp"
#include "tests/simulation/host.hpp"
#include "tests/simulation/text_client.hpp"
#include "tests/simulation/vandal.hpp"

namespace anel::simulation {

struct Verdict {
    std::uint64_t seed = 0;
    std::string broken;  ///< empty: every promise was kept
    std::uint64_t hash = 0;
    Counts counts;
    FaultCounts struck{};
    SimTime ended{0};
    [[nodiscard]] bool ok() const { return broken.empty(); }
};

class Simulation {
public:
    Simulation(std::uint64_t seed, const Plan& plan, std::function<void(const std::string&)> sink);
    void run();
    /// One epoch of so many rounds: what a node keeps, reads at its start, and leaves on the volume stays bounded.
    void run_months(std::uint64_t rounds);
    [[nodiscard]] World& world() { return world_; }

private:
    friend class Storyteller;  // stories.cpp: plays by hand what the phases leave to chance

    void run_until(SimTime end);
    void fault_phase();
    void heal();
    void liveness_phase();
    void idle_phase();
    void check_agreement() const;
    void check_bounds();
    [[nodiscard]] bool all_done() const;
    [[nodiscard]] std::string describe_stuck() const;

    // Faults (faults.cpp): each comes again and again at random times around its mean, while the phase lasts.
    void begin_faults();
    void repeat_fault(Duration mean, std::function<void()> strike);
    void crash_one();
    void pause_one();
    void hunt(std::uint64_t left);
    void storm(Host& host, std::uint64_t left);
    void kill_all();
    void start_second_process();
    void deafen_one();
    void cut_power();
    void part();
    void fill_disk();
    [[nodiscard]] Host& any_host() { return *hosts_[world_.random.below(hosts_.size())]; }

    World world_;
    SimVolume volume_;
    Judge judge_;
    Network network_;
    Mail mail_;
    /// Whoever hears what is sent to a node; with two processes of one id, either.
    [[nodiscard]] Process process_at(NodeId node);
    [[nodiscard]] Host& host_of(Process process);

    std::vector<std::unique_ptr<Host>> hosts_;
    std::vector<std::unique_ptr<Host>> seconds_;  ///< second processes of an id
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<TextClient>> text_clients_;
    std::unique_ptr<Client> rival_;
    Vandal vandal_;
};

[[nodiscard]] Verdict run_months(std::uint64_t seed, std::uint64_t rounds);
[[nodiscard]] Verdict run_seed(std::uint64_t seed, const PlanRange& range,
                               std::function<void(const std::string&)> sink = {});

}  // namespace anel::simulation

// The ring that a bench measures: processes on this machine with a folder of their own, or nodes that run already.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/command/bench/options.hpp"
#include "client/command/local_ring.hpp"
#include "client/options.hpp"

namespace anel::command::bench {

/// Waits so long, or until a signal asks this process to end.
void pause(std::chrono::duration<double> time);

class Ring {
public:
    explicit Ring(const Options& options) : options_{options} {}

    /// Makes the folder. @return what is wrong with the options, in words, or nothing.
    [[nodiscard]] std::string prepare();
    /// Starts the nodes and waits until all take pushes. @return an error in words, or nothing.
    [[nodiscard]] std::string start();
    /// Its nodes are our processes, and its file is there to be verified.
    [[nodiscard]] bool ours() const { return options_.to.empty(); }
    [[nodiscard]] bool wait_whole();
    [[nodiscard]] std::string start_node(std::uint64_t node);
    void stop() { children_.stop("node", std::chrono::seconds{10}); }
    /// By the command that people use, in a process of its own: it shares nothing with what was measured.
    [[nodiscard]] bool verify();
    /// Deletes the folder if it is our own.
    void tidy();

    /// The options of client `number`. @param all_nodes  it may go to any node; else it stays at one.
    [[nodiscard]] client::Options client_options(std::uint64_t number, bool all_nodes) const;
    /// The node that says that it has the token; none where nobody says so now.
    [[nodiscard]] std::optional<std::uint64_t> holder() const;
    /// @return 0 where it does not run.
    [[nodiscard]] pid_t pid_of(std::uint64_t node) const;
    [[nodiscard]] std::vector<pid_t> pids() const;
    void reap() {
        children_.reap([](const Children::Child&) {});
    }
    [[nodiscard]] std::vector<std::string> addresses() const;
    /// The data folder, for thinning: what is verified in the end is what was kept.
    [[nodiscard]] std::filesystem::path thinned_data() {
        thinned_ = true;
        return data();
    }

private:
    [[nodiscard]] std::filesystem::path data() const { return folder_ / "data"; }

    const Options& options_;
    Children children_;
    std::optional<LocalRing> processes_;
    std::filesystem::path folder_;
    bool own_folder_ = false;
    bool thinned_ = false;
};

}  // namespace anel::command::bench

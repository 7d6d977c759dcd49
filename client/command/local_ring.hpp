// A ring of `aneld` processes on loopback, for `anel up` and `anel bench`.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "client/command/children.hpp"

namespace anel::command {

/// Where the running program lies, and `aneld` beside it. Empty when that cannot be found out.
[[nodiscard]] std::filesystem::path program_folder();

class LocalRing {
public:
    struct Options {
        std::uint64_t nodes = 5;
        std::uint64_t base_port = 5000;          ///< client port of node 0; the others follow
        std::uint64_t cluster_base_port = 6000;  ///< cluster port of node 0; the others follow
        std::uint64_t http_base_port = 0;        ///< status page of node 0; the others follow; 0: none
        std::filesystem::path data{};
        std::filesystem::path logs{};
        std::uint64_t linger_ms = 0;
    };
    LocalRing(Options options, Children& children) : options_{std::move(options)}, children_{children} {}

    /// What is wrong with the options, in words, or nothing. A port that somebody has is wrong too.
    [[nodiscard]] static std::string problem_of(const Options& options);
    /// @return an error in words, or nothing.
    [[nodiscard]] std::string start();
    [[nodiscard]] std::string start_node(std::uint64_t node);
    /// Until every node takes pushes, a signal comes, no node is left, or the time is over; `ended` hears of children
    /// that end meanwhile. @return all take pushes.
    bool wait_serving(std::chrono::milliseconds most, const std::function<void(const Children::Child&)>& ended);
    /// "127.0.0.1:5000..5004"
    [[nodiscard]] std::string addresses() const;

private:
    [[nodiscard]] std::map<std::string, std::string> environment_of(std::uint64_t node) const;

    Options options_;
    Children& children_;
};

}  // namespace anel::command

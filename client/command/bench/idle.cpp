#include <cmath>
#include <filesystem>
#include <fstream>

#include "client/command/bench/kinds.hpp"
#include "client/command/bench/load.hpp"

namespace anel::command::bench {
namespace {

using namespace std::chrono_literals;

/// What a process has used since it started, as /proc/PID tells it.
struct Usage {
    std::uint64_t processor_ns = 0;
    std::uint64_t written_bytes = 0;  ///< that it made the kernel send to a disk
    std::uint64_t switches = 0;       ///< how often a thread of it was woken up or put aside
    std::uint64_t resident_bytes = 0;
};

/// The number behind `name` in a file of lines "name: number".
std::uint64_t field_of(const std::filesystem::path& file, const std::string& name) {
    std::ifstream lines{file};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1));
    }
    return 0;
}

Usage usage_of(pid_t pid) {
    const auto process = std::filesystem::path{"/proc"} / std::to_string(pid);
    Usage usage{.written_bytes = field_of(process / "io", "write_bytes"),
                .resident_bytes = field_of(process / "status", "VmRSS") * 1024};
    std::error_code error;
    for (const auto& thread : std::filesystem::directory_iterator{process / "task", error}) {
        std::uint64_t ran_ns = 0;
        std::ifstream{thread.path() / "schedstat"} >> ran_ns;
        usage.processor_ns += ran_ns;
        usage.switches += field_of(thread.path() / "status", "voluntary_ctxt_switches") +
                          field_of(thread.path() / "status", "nonvoluntary_ctxt_switches");
    }
    return usage;
}

}  // namespace

bool idle(Ring& ring, const Options& options, nlohmann::json& result) {
    client::Client client{ring.client_options(0, false)};
    const bool right = std::holds_alternative<client::Durable>(client.push(std::string(options.size, 'x'), 1).get());
    pause(2s);  // what that message still has to do (a sync, a lap or two) is over by then
    std::vector<Usage> before;
    for (const auto pid : ring.pids()) before.push_back(usage_of(pid));
    const auto begun = steady_clock::now();
    pause(std::chrono::duration<double>(options.seconds));
    const std::chrono::duration<double> took = steady_clock::now() - begun;
    Usage all;
    std::uint64_t largest = 0;
    for (std::uint64_t node = 0; node < before.size(); ++node) {
        const auto now = usage_of(ring.pids()[node]);
        all.processor_ns += now.processor_ns - before[node].processor_ns;
        all.written_bytes += now.written_bytes - before[node].written_bytes;
        all.switches += now.switches - before[node].switches;
        largest = std::max(largest, now.resident_bytes);
    }
    result = {{"percent_of_a_core", static_cast<double>(all.processor_ns) / took.count() / 1e7},
              {"written_bytes", all.written_bytes},
              {"switches_per_second", std::llround(static_cast<double>(all.switches) / took.count())},
              {"largest_node_mib", static_cast<double>(largest) / (1024 * 1024)},
              {"seconds", took.count()}};
    return right && largest > 0;
}

}  // namespace anel::command::bench

// What people may choose about a bench.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace anel::command::bench {

struct Options {
    std::string kind = "throughput";
    std::uint64_t nodes = 5;
    std::uint64_t clients = 5;
    std::size_t size = 100;
    std::uint32_t batch = 256;
    std::size_t window = std::size_t{16} * 256;
    double rate = 0;  ///< messages a second of all clients together; 0: as fast as they may
    double seconds = 10;
    std::uint64_t runs = 1;
    std::string by = "nodes";  ///< scale: what changes from ring to ring
    std::uint64_t times = 50;
    std::uint64_t base_port = 25000;
    std::uint64_t cluster_base_port = 26000;
    std::string to;    ///< nodes that run already; empty: a ring of our own
    std::string data;  ///< empty: a folder of our own
    bool json = false;
};

}  // namespace anel::command::bench

// The load generator of the bench beside other systems: one kind of peer, one load, one line of JSON.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "tests/bench/load/load.hpp"

int main(int argc, char** argv) {
    using namespace anel::bench;
    const std::map<std::string, void (*)(const Load&)> kinds{
        {"redis", run_redis}, {"nats", run_nats}, {"etcd", run_etcd}, {"flock", run_flock},
        {"pair", run_pair},   {"disk", run_disk}, {"anel", run_anel}};
    CLI::App app{"Loads one of the systems that Anel is compared with, and prints what became durable as JSON."};
    std::string kind;
    Load load;
    app.add_option("kind", kind, "redis, nats, etcd, flock, pair, disk or anel")
        ->required()
        ->check(CLI::IsMember({"redis", "nats", "etcd", "flock", "pair", "disk", "anel"}));
    app.add_option("--ports", load.ports, "Ports of the servers")->delimiter(',');
    app.add_option("--path", load.path, "The file, for flock and disk");
    app.add_option("--clients", load.clients, "How many clients")->check(CLI::Range(1, 20'000))->capture_default_str();
    app.add_option("--size", load.size, "Bytes of a message")->check(CLI::Range(1, 64 << 20))->capture_default_str();
    app.add_option("--window", load.window, "Requests in flight of a client")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    app.add_option("--batch", load.batch, "Messages of a request")->check(CLI::Range(1, 65535))->capture_default_str();
    app.add_option("--warm-up", load.warm_up, "Seconds that do not count")->capture_default_str();
    app.add_option("--seconds", load.seconds, "Seconds that count")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    const bool on_file = kind == "flock" || kind == "disk";
    if (on_file ? load.path.empty() : load.ports.empty() && kind != "pair") {
        std::cerr << "bench_load: " << kind << " needs " << (on_file ? "--path" : "--ports") << '\n';
        return 2;
    }
    try {
        kinds.at(kind)(load);
    } catch (const std::exception& error) {
        std::cerr << "bench_load: " << kind << ": " << error.what() << '\n';
        return 1;
    }
    return 0;
}

// The yardstick of the bench: what one process does that appends and syncs the same bytes for the same clients.
#include <CLI/CLI.hpp>
#include <iostream>

#include "tests/bench/pipeline/server.hpp"

int main(int argc, char** argv) {
    CLI::App app{
        "One process that takes clients of Anel, writes and syncs what a ring would, and acks. No ring, no recovery."};
    std::string folder;
    app.add_option("--data", folder, "An empty folder for journal and output.txt")
        ->required()
        ->check(CLI::ExistingDirectory);
    CLI11_PARSE(app, argc, argv);
    try {
        anel::bench::PipelineServer server{folder};
        // Whoever started it reads the port here, and ends it by a signal when enough was measured.
        std::cout << server.port() << std::endl;
        server.run();
    } catch (const std::exception& error) {
        std::cerr << "bench_pipeline: " << error.what() << '\n';
        return 1;
    }
    return 0;
}

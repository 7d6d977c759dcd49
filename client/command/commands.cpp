#include "client/command/commands.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace anel::command {
namespace {

volatile std::sig_atomic_t signal_seen = 0;

void remember(int) { signal_seen = 1; }

}  // namespace

void add_nodes_option(CLI::App& command, std::string& nodes) {
    nodes = "127.0.0.1:5000..5004";
    command.add_option("--nodes", nodes, "Nodes, host:port with commas between; host:5000..5004 stands for five")
        ->envname("ANEL_NODES")
        ->capture_default_str()
        ->type_name("LIST");
}

std::string default_data_folder() {
    if (const char* folder = std::getenv("ANEL_DATA"); folder != nullptr && *folder != '\0') return folder;
    std::error_code ignored;
    return std::filesystem::is_directory("shared_data", ignored) ? "shared_data" : ".";
}

int fail(const char* command, const std::string& text, int exit_code) {
    fmt::print(stderr, "anel {}: {}\n", command, text);
    return exit_code;
}

bool signalled() { return signal_seen != 0; }

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = remember;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

}  // namespace anel::command

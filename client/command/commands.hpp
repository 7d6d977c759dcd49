// The subcommands of `anel`. Each adds itself to the command line and leaves its exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <string>
#include <vector>

#include "common/result.hpp"

namespace anel::command {

// Exit codes of all commands (docs/DESIGN.md section 8); those of one command stand beside it.
inline constexpr int exit_success = 0;
inline constexpr int exit_usage = 2;

void add_send(CLI::App& app, int& exit_code);
void add_watch(CLI::App& app, int& exit_code);
void add_status(CLI::App& app, int& exit_code);
void add_up(CLI::App& app, int& exit_code);
void add_demo(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_completion(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
// These come from client/*.cpp; they alone need the node's ledger (ring_ledger).
void add_verify(CLI::App& app, int& exit_code);
void add_repair(CLI::App& app, int& exit_code);
void add_backup(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);

/// Adds `--nodes`, whose default is ANEL_NODES or the five ports of the demo.
void add_nodes_option(CLI::App& command, std::string& nodes);
/// Where output.txt is looked for when nothing is said: ANEL_DATA, else ./shared_data, else here.
[[nodiscard]] std::string default_data_folder();

/// Prints "anel COMMAND: text" on standard error; gives back `exit_code`.
int fail(const char* command, const std::string& text, int exit_code);

/// Set once SIGINT or SIGTERM has come, after catch_signals().
[[nodiscard]] bool signalled();
void catch_signals();

}  // namespace anel::command

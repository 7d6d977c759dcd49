// What a completion has to know of a command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace anel::command {

/// One option or positional argument of a command.
struct CompletedOption {
    std::vector<std::string> flags;  ///< "--nodes", "-h"; none: a positional argument
    std::string name;                ///< of what it takes: FILE, N
    std::string description;
    bool takes_value = false;
    bool takes_path = false;
    std::vector<std::string> values;  ///< where only these are allowed
};
struct CompletedCommand {
    std::string name;
    std::string description;
    std::vector<CompletedOption> options;
};

/// `app` without a name, with the options that stand before a command; then its subcommands.
[[nodiscard]] std::vector<CompletedCommand> completion_tree(const CLI::App& app);

}  // namespace anel::command

// `anel completion`: a script that completes what the command line knows.
#include <fmt/format.h>

#include "client/command/commands.hpp"
#include "client/command/completion.hpp"

namespace anel::command {

void add_completion(CLI::App& app, int& exit_code) {
    auto shell = std::make_shared<std::string>();
    auto& command = *app.add_subcommand("completion", "Print a script that completes commands and options in a shell");
    command.add_option("shell", *shell, "Which shell")->check(CLI::IsMember({"bash", "zsh"}))->required();
    command.footer(
        "Exit code: 0 printed, 2 usage.\n\n"
        "Examples:\n  source <(anel completion bash)                # in ~/.bashrc\n"
        "  anel completion zsh > ~/.zfunc/_anel         # a folder of $fpath, before compinit");
    command.callback([&app, shell, &exit_code] {
        fmt::print("{}", *shell == "bash" ? bash_completion(app) : zsh_completion(app));
        exit_code = exit_success;
    });
}

}  // namespace anel::command

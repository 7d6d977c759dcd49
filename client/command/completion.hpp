// Completion scripts for shells, written from the command line's own tree, so that they know what it knows.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace anel::command {

/// For bash: `source <(anel completion bash)`.
[[nodiscard]] std::string bash_completion(const CLI::App& app);
/// For zsh: as the file `_anel` in a folder of $fpath, or `source <(anel completion zsh)`.
[[nodiscard]] std::string zsh_completion(const CLI::App& app);

}  // namespace anel::command

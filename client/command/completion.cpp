#include "client/command/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "client/command/completion_tree.hpp"

namespace anel::command {
namespace {

/// Of several options, the flags of those for which `wanted` holds, each behind `prefix`.
template <class Wanted>
std::vector<std::string> flags_of(const CompletedCommand& command, const std::string& prefix, Wanted wanted) {
    std::vector<std::string> flags;
    for (const auto& option : command.options) {
        if (!wanted(option)) continue;
        for (const auto& flag : option.flags) flags.push_back(prefix + flag);
    }
    return flags;
}

std::vector<std::string> names_of(const std::vector<CompletedCommand>& tree) {
    std::vector<std::string> names;
    for (const auto& command : tree) {
        if (!command.name.empty()) names.push_back(command.name);
    }
    return names;
}

/// The lines of bash that complete what stands behind the flags of one command.
std::string bash_values(const CompletedCommand& command) {
    std::string text;
    const auto with = [&](const auto& wanted, const std::string& then) {
        std::string patterns;
        for (const auto& flag : flags_of(command, command.name + " ", wanted)) {
            patterns += fmt::format("{}\"{}\"", patterns.empty() ? "" : " | ", flag);
        }
        if (!patterns.empty()) text += fmt::format("    {}) {}; return ;;\n", patterns, then);
    };
    for (const auto& option : command.options) {
        if (option.flags.empty() || option.values.empty()) continue;
        with([&](const CompletedOption& one) { return one.flags == option.flags; },
             fmt::format("_anel_words \"{}\"", fmt::join(option.values, " ")));
    }
    with([](const CompletedOption& one) { return one.takes_path && one.values.empty(); }, "_anel_paths");
    with([](const CompletedOption& one) { return one.takes_value && !one.takes_path && one.values.empty(); }, ":");
    return text;
}

/// The lines of bash that complete the flags and positional arguments of one command.
std::string bash_words(const CompletedCommand& command) {
    const auto flags = flags_of(command, {}, [](const CompletedOption&) { return true; });
    std::string positional = ":";
    for (const auto& option : command.options) {
        if (!option.flags.empty()) continue;
        if (!option.values.empty()) positional = fmt::format("_anel_words \"{}\"", fmt::join(option.values, " "));
        else if (option.takes_path) positional = "_anel_paths";
    }
    return fmt::format("    {}) if [[ $word == -* ]]; then _anel_words \"{}\"; else {}; fi ;;\n", command.name,
                       fmt::join(flags, " "), positional);
}

/// In '...' of an argument of _arguments.
std::string zsh_quoted(const std::string& text) {
    std::string quoted;
    for (const char letter : text) {
        if (letter == '\'') quoted += "'\\''";
        else if (letter == '[' || letter == ']' || letter == ':' || letter == '\\')
            quoted += fmt::format("\\{}", letter);
        else quoted += letter;
    }
    return quoted;
}

std::string zsh_value(const CompletedOption& option) {
    if (!option.takes_value && !option.flags.empty()) return {};
    std::string action;
    if (!option.values.empty()) action = fmt::format("({})", fmt::join(option.values, " "));
    else if (option.takes_path) action = "_files";
    return fmt::format(":{}:{}", zsh_quoted(option.name), action);
}

std::string zsh_arguments(const CompletedCommand& command) {
    std::string text;
    for (const auto& option : command.options) {
        const auto value = zsh_value(option);
        for (const auto& flag : option.flags) {
            text += fmt::format(" \\\n      '{}[{}]{}'", flag, zsh_quoted(option.description), value);
        }
        if (option.flags.empty()) text += fmt::format(" \\\n      '*{}'", value);
    }
    return text;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
    const auto tree = completion_tree(app);
    const auto names = names_of(tree);
    std::string values;
    std::string words;
    for (const auto& command : tree) {
        values += bash_values(command);
        if (!command.name.empty()) words += bash_words(command);
    }
    const auto before = flags_of(tree.front(), {}, [](const CompletedOption&) { return true; });
    return fmt::format(R"(# Completion of anel for bash, as `anel completion bash` prints it.
_anel_words() {{ mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }}
_anel_paths() {{
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$word")
}}
_anel() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command='' one
  for one in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $one in {}) command=$one; break ;; esac
  done
  COMPREPLY=()
  case "$command $before" in
{}  esac
  case $command in
{}    *) _anel_words "{} {}" ;;
  esac
}}
complete -F _anel anel
)",
                       fmt::join(names, " | "), values, words, fmt::join(names, " "), fmt::join(before, " "));
}

std::string zsh_completion(const CLI::App& app) {
    const auto tree = completion_tree(app);
    std::string commands;
    std::string cases;
    for (const auto& command : tree) {
        if (command.name.empty()) continue;
        commands += fmt::format("      '{}:{}'\n", command.name, zsh_quoted(command.description));
        cases += fmt::format("    {}) _arguments -s{} ;;\n", command.name, zsh_arguments(command));
    }
    return fmt::format(R"(#compdef anel
# Completion of anel for zsh, as `anel completion zsh` prints it.
_anel() {{
  local curcontext=$curcontext state line
  _arguments -C{} \
      '1:command:->command' '*::argument:->argument'
  case $state in
  command)
    local -a commands=(
{}    )
    _describe command commands ;;
  argument)
    case $words[1] in
{}    esac ;;
  esac
}}
if [[ $funcstack[1] == _anel ]]; then _anel "$@"; else compdef _anel anel; fi
)",
                       zsh_arguments(tree.front()), commands, cases);
}

}  // namespace anel::command

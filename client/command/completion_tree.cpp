#include "client/command/completion_tree.hpp"

#include <set>

namespace anel::command {
namespace {

/// "TEXT:{a,b}" is how CLI11 names the type of an option with a set of allowed values.
std::vector<std::string> allowed_values(const std::string& type) {
    std::vector<std::string> values;
    const auto open = type.find('{');
    const auto close = type.find('}', open);
    if (open == std::string::npos || close == std::string::npos) return values;
    std::string value;
    for (auto at = open + 1; at <= close; ++at) {
        if (type[at] != ',' && at != close) {
            value += type[at];
            continue;
        }
        values.push_back(value);
        value.clear();
    }
    return values;
}

/// "start|end|N": the words in lower case can be typed as they stand.
std::vector<std::string> words_of(const std::string& type) {
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin <= type.size();) {
        const auto end = std::min(type.find('|', begin), type.size());
        const auto word = type.substr(begin, end - begin);
        if (!word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos) {
            words.push_back(word);
        }
        begin = end + 1;
    }
    return words;
}

CompletedOption completed(const CLI::Option& option) {
    static const std::set<std::string> paths{"FILE", "FOLDER", "DIR", "TARGET", "FOLDER|FILE"};
    CompletedOption out;
    for (const auto& name : option.get_snames()) out.flags.push_back("-" + name);
    for (const auto& name : option.get_lnames()) out.flags.push_back("--" + name);
    const auto type = option.get_type_name();
    out.name = type.empty() || type.find('{') != std::string::npos ? option.get_single_name() : type;
    out.description = option.get_description();
    out.takes_value = option.get_items_expected_max() > 0;
    out.takes_path = paths.contains(type);
    out.values = allowed_values(type);
    if (out.values.empty()) out.values = words_of(type);
    return out;
}

CompletedCommand completed(const CLI::App& app, std::string name) {
    CompletedCommand command{std::move(name), app.get_description(), {}};
    for (const auto* option : app.get_options({})) command.options.push_back(completed(*option));
    return command;
}

}  // namespace

std::vector<CompletedCommand> completion_tree(const CLI::App& app) {
    std::vector<CompletedCommand> tree{completed(app, {})};
    for (const auto* command : app.get_subcommands(std::function<bool(const CLI::App*)>{})) {
        tree.push_back(completed(*command, command->get_name()));
    }
    return tree;
}

}  // namespace anel::command

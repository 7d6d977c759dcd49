#include "ring/daemon/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace anel {
namespace {

constexpr const char* footer =
    R"(Each flag is also a key of the file (--token-timeout-ms: token_timeout_ms), and the variable beside it.

A ring of three on one machine, in three terminals:
  export ANEL_PEERS=0=127.0.0.1:6000,1=127.0.0.1:6001,2=127.0.0.1:6002 ANEL_DATA=shared_data
  aneld --id 0 --port 5000
  aneld --id 1 --port 5001
  aneld --id 2 --port 5002

Exit codes: 0 left as told, 2 configuration, 10 sync failed, 11 ledger damaged, 12 data folder unusable,
13 port in use, 14 id already in the ring.
)";

Asked only_print(std::string text) {
    Asked asked;
    asked.print = std::move(text);
    return asked;
}

}  // namespace

Result<Asked> read_command_line(std::vector<std::string> arguments) {
    CLI::App app{"aneld, a node of the ring: takes messages of clients and writes output.txt with the other nodes.",
                 "aneld"};
    app.footer(footer);
    std::string file;
    bool print_config = false;
    app.set_help_flag("-h,--help", "Print this and end");
    app.set_version_flag("--version", std::string{"aneld "} + ANEL_VERSION, "Print the version and end");
    app.add_option("--config", file, "A TOML file of settings (ANEL_CONFIG)")->type_name("FILE");
    app.add_flag("--print-config", print_config, "Print all settings as such a file and end");
    Values flags;
    for (const auto& key : setting_keys()) {
        app.add_option_function<std::string>(
               key.flag(), [&flags, &key](const std::string& value) { flags[key.name] = value; },
               fmt::format("{}: {} ({})", key.help, key.allowed, key.environment))
            ->type_name("")
            ->group("Settings");
    }
    try {
        std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
        app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        return only_print(app.help());
    } catch (const CLI::CallForVersion&) {
        return only_print(app.version() + "\n");
    } catch (const CLI::ParseError& error) {
        return failure(ErrorCode::bad_configuration,
                       fmt::format("{}; allowed is what aneld --help lists", error.what()));
    }

    std::vector<Source> sources{{"flag", std::move(flags)}, {"environment", values_of_environment()}};
    if (const char* variable = std::getenv("ANEL_CONFIG"); file.empty() && variable != nullptr) file = variable;
    if (!file.empty()) {
        auto values = values_of_file(file);
        if (!values) return tl::unexpected{values.error()};
        sources.push_back({"file " + file, std::move(*values)});
    }
    auto settings = settle(sources);
    if (!settings) return tl::unexpected{settings.error()};
    auto print = print_config ? as_toml(*settings) : std::string{};
    return Asked{std::move(*settings), std::move(print)};
}

}  // namespace anel

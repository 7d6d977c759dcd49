// `anel doctor`: looks at all that a node on this machine needs, before it is started or while it runs.
#include <fmt/format.h>

#include "client/command/commands.hpp"
#include "client/command/print_json.hpp"
#include "client/doctor/clock.hpp"
#include "client/doctor/network.hpp"
#include "client/doctor/volume.hpp"
#include "client/options.hpp"
#include "ring/daemon/clock.hpp"
#include "ring/daemon/command_line.hpp"

namespace anel::command {
namespace {

struct DoctorOptions {
    std::string folder;
    std::map<std::string, std::string> passed_on;  ///< flags of aneld, with their values
    std::string nodes;
    int timeout_ms = 2000;
    bool json = false;
};

/// Settings as the node would have them: flags before environment before file.
Result<Settings> settings_of(const DoctorOptions& options) {
    std::vector<std::string> arguments;
    for (const auto& [flag, value] : options.passed_on) arguments.insert(arguments.end(), {flag, value});
    if (!options.folder.empty()) arguments.insert(arguments.end(), {"--data", options.folder});
    auto asked = read_command_line(std::move(arguments));
    if (!asked) return tl::unexpected{asked.error()};
    return std::move(asked->settings);
}

/// Client ports to ask: those that were named.
Result<std::vector<std::string>> clients_of(const DoctorOptions& options) {
    if (options.nodes.empty()) return std::vector<std::string>{};
    return client::parse_nodes(options.nodes);
}

int run(const DoctorOptions& options) {
    if (options.timeout_ms <= 0) return fail("doctor", "--timeout-ms: 1 at least is allowed", exit_usage);
    const auto settings = settings_of(options);
    if (!settings) return fail("doctor", settings.error().text, exit_usage);
    const auto clients = clients_of(options);
    if (!clients) return fail("doctor", "--nodes: " + clients.error().text, exit_usage);
    const auto before = moment_now();
    auto findings = doctor::check_volume(*settings);
    for (auto& one : doctor::check_network(*settings, {.clients = *clients, .timeout_ms = options.timeout_ms})) {
        findings.push_back(std::move(one));
    }
    findings.push_back(doctor::judge_clock(before, moment_now(), doctor::last_written_us(settings->data)));
    if (options.json) {
        print_json(doctor::json_of(findings));
    } else {
        for (const auto& finding : findings) fmt::print("{}\n", doctor::line_of(finding));
    }
    return doctor::exit_code_of(doctor::worst_of(findings));
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<DoctorOptions>();
    auto& command = *app.add_subcommand("doctor", "Look at all that a node on this machine needs");
    command.add_option("folder", options->folder, "The data folder (default: as aneld has it)")->type_name("FOLDER");
    const auto pass_on = [&](const std::string& flag, const std::string& description, const std::string& type) {
        command
            .add_option_function<std::string>(
                flag, [options, flag](const std::string& value) { options->passed_on[flag] = value; }, description)
            ->type_name(type);
    };
    pass_on("--config", "The node's file of settings (ANEL_CONFIG)", "FILE");
    pass_on("--id", "The node's number in the ring (ID)", "N");
    pass_on("--port", "Its client port (PORT)", "PORT");
    pass_on("--cluster-port", "Its port for other nodes (CLUSTER_PORT)", "PORT");
    pass_on("--http-port", "Its port of the status page (ANEL_HTTP_PORT)", "PORT");
    pass_on("--peers", "All nodes of the ring, id=host:cluster_port,... (ANEL_PEERS)", "LIST");
    command
        .add_option("--nodes", options->nodes,
                    "Client ports that must answer, host:port with commas between (default: none)")
        ->envname("ANEL_NODES")
        ->type_name("LIST");
    command.add_option("--timeout-ms", options->timeout_ms, "How long to wait for answers")
        ->capture_default_str()
        ->type_name("MS");
    command.add_flag("--json", options->json, "Print the findings as JSON");
    command.footer(
        "Reads the settings that aneld would have here, from flags, environment and file. Changes nothing; a trial "
        "file\n"
        "in the data folder goes at once, and each free port is bound for a moment.\n"
        "A line each: ok, warn or fail, what, where, and what to do.\n"
        "Exit code: 0 all ok, 1 warnings, 2 usage, 3 something fails.\n\n"
        "Examples:\n  anel doctor --config /etc/anel/0.toml\n"
        "  ANEL_PEERS=0=127.0.0.1:6000,1=127.0.0.1:6001 anel doctor shared_data --id 0");
    command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace anel::command

// `anel`: what people do with a ring from a terminal.
#include <fmt/format.h>

#include <csignal>

#include "client/command/commands.hpp"

int main(int argc, char** argv) {
    // A reader that leaves (`anel watch | head`) ends us quietly, as it does every filter.
    std::signal(SIGPIPE, SIG_DFL);
    CLI::App app{"Anel: a durable token ring. Messages pushed to any node stand in one file, exactly once.", "anel"};
    app.set_version_flag("--version", std::string{"anel "} + ANEL_VERSION);
    app.require_subcommand(1);
    app.footer(
        "Examples:\n  anel up                         a ring of five nodes and five clients on this machine\n"
        "  anel send \"hello, ring\"         push a message, wait until it is durable\n"
        "  anel COMMAND --help             more, with an example each");
    int exit_code = 0;
    anel::command::add_send(app, exit_code);
    anel::command::add_watch(app, exit_code);
    anel::command::add_export(app, exit_code);
    anel::command::add_status(app, exit_code);
    anel::command::add_up(app, exit_code);
    anel::command::add_demo(app, exit_code);
    anel::command::add_bench(app, exit_code);
    anel::command::add_verify(app, exit_code);
    anel::command::add_repair(app, exit_code);
    anel::command::add_backup(app, exit_code);
    anel::command::add_doctor(app, exit_code);
    anel::command::add_completion(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& done) {  // --help, --version
        return app.exit(done);
    } catch (const CLI::ParseError& error) {
        const auto chosen = app.get_subcommands();
        const auto name = chosen.empty() ? std::string{"anel"} : "anel " + chosen.front()->get_name();
        fmt::print(stderr, "{}: {}; see {} --help\n", name, error.what(), name);
        return anel::command::exit_usage;
    }
    return exit_code;
}

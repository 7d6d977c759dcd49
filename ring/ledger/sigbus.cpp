#include "ring/ledger/sigbus.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <string_view>

namespace anel {
namespace {
std::atomic<int> exit_code_on_sigbus{1};

// Async-signal-safe calls only.
extern "C" void on_sigbus(int) {
    constexpr std::string_view text =
        "anel: a file of .anel was shortened, or its disk failed, while it was mapped (SIGBUS): stop all "
        "nodes and run anel verify\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(exit_code_on_sigbus.load());
}
}  // namespace

void explain_sigbus(int exit_code) {
    exit_code_on_sigbus = exit_code;
    struct sigaction action {};
    action.sa_handler = on_sigbus;
    ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace anel

// A mapped file that somebody shortens ends the process by SIGBUS; this makes that a message instead of a riddle.
#pragma once

namespace anel {

/// On SIGBUS: one line to standard error, then _exit(exit_code). For the daemon, once, at its start.
void explain_sigbus(int exit_code);

}  // namespace anel

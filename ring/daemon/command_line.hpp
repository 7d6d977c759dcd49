// The command line of `aneld`: flags before environment before file before defaults.
#pragma once

#include <string>
#include <vector>

#include "ring/daemon/settings.hpp"

namespace anel {

struct Asked {
    Settings settings;
    std::string print;  ///< not empty: print this and end (--help, --version, --print-config)
};

/// @param arguments  without the program's name.
[[nodiscard]] Result<Asked> read_command_line(std::vector<std::string> arguments);

}  // namespace anel

// Can somebody listen at a port of this machine?
#pragma once

#include <cstdint>
#include <string>

namespace anel::command {

/// Why nobody can listen there, as the system says; empty: somebody can. @param numeric_host  or "*" for all addresses.
[[nodiscard]] std::string listening_problem(const std::string& numeric_host, std::uint16_t port);

}  // namespace anel::command

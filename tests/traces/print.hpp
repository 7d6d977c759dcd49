// Inputs and actions as one readable line each: for traces, and for what the simulator tells of a failing seed.
#pragma once

#include <string>

#include "ring/core/io.hpp"

namespace anel {

[[nodiscard]] std::string print(const Input& input);
[[nodiscard]] std::string print(const Action& action);

}  // namespace anel

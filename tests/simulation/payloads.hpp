// Payloads that are unique, so that each names its message, and nasty, so that the output format is tried.
#pragma once

#include <string>

#include "tests/simulation/world.hpp"

namespace anel::simulation {

[[nodiscard]] inline std::string nasty_payload(Random& random, std::string name) {
    static const std::vector<std::string> oddities{"\n",
                                                   "\r\n",
                                                   "\x1b[2J",
                                                   "\\",
                                                   "\\n",
                                                   "\xff\xfe",
                                                   "\xc3",
                                                   "\u00e9",
                                                   "\u6f22",
                                                   std::string{"\0", 1},
                                                   "\nContainer 0 \nMensagem: forged\n",
                                                   "########################################################",
                                                   "\t",
                                                   "\x7f"};
    if (random.chance(0.3)) name += random.pick(oddities);
    if (random.chance(0.1)) name += std::string(random.below(200), 'x');
    return name;
}

}  // namespace anel::simulation

// Reads the classic output format back, from its description alone (docs/DESIGN.md section 8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/ids.hpp"

namespace anel::simulation {

struct PrintedMessage {
    NodeId container;
    std::string payload;
};

/// The messages of one round's text. Throws Violation where a byte is not as described.
[[nodiscard]] std::vector<PrintedMessage> read_classic(std::string_view text);

}  // namespace anel::simulation

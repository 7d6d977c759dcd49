// `anel watch tcp://...`: the output from the feeds of nodes, without the volume.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/command/watch_printer.hpp"

namespace anel::command {

struct WatchFeedOptions {
    std::vector<std::string> addresses;   ///< tcp://host:port, tried in this order
    std::string from = "end";             ///< checked: start, end, or a number of rounds
    std::optional<std::uint64_t> offset;  ///< instead of `from`
    std::string ledger;                   ///< whose offset it is; empty: any
    bool until_end = false;
    bool position = false;  ///< only say where the end is
    PrintOptions print;
};

[[nodiscard]] bool is_feed_address(const std::string& text);
/// @return the exit code.
int watch_feed(const WatchFeedOptions& options);

}  // namespace anel::command

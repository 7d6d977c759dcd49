// What a user of the client library may choose.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/outcome.hpp"
#include "client/timing.hpp"
#include "common/result.hpp"

namespace anel::client {

/// What push does when the window is full.
enum class WhenFull {
    block,   ///< waits until there is room
    refuse,  ///< returns at once with `would_block`
};

/// Only `nodes` has to be given: Options{.nodes = {"127.0.0.1:5000"}}.
struct Options {
    std::vector<std::string> nodes;  ///< "host:port", tried in this order from `first_node` on
    std::string client_id{};         ///< 1 to 64 bytes; empty: a random one, or the one of the outbox file
    std::uint64_t instance = 0;      ///< 0: random, or the one of the outbox file
    std::size_t first_node = 0;      ///< index in `nodes` of the one to speak to first
    /// Keeps instance and unacked messages over a restart of this process. Written before each send; it
    /// outlives a crash of the process, and with `sync_outbox` a power cut.
    std::optional<std::filesystem::path> outbox_file{};
    bool sync_outbox = false;              ///< fdatasync the outbox file before each send
    std::uint32_t batch_messages = 256;    ///< of one push frame at most, 1 to 65535
    std::size_t batch_bytes = 256 * 1024;  ///< of one push frame; a larger message goes alone
    /// Of one message; a larger one is refused at once. A node may allow less, or more if this is raised.
    std::size_t message_bytes = 1024 * 1024;
    std::size_t window_messages = 64 * 1024;     ///< not yet settled, sent or not
    std::size_t window_bytes = 8 * 1024 * 1024;  ///< the same in bytes
    WhenFull when_full = WhenFull::block;        ///< what push does when a window is full
    Timing timing{};                             ///< how long a node may be silent
    /// Called on the client's own thread with each settled run of ordinals: the cheap way to follow many.
    std::function<void(const Settled&)> on_settled{};
};

/// Checks what can be checked without a node.
[[nodiscard]] Result<void> check(const Options& options);

/// A list as people write it, for Options::nodes: "host:port" or "[v6]:port" with commas between;
/// "host:5000..5004" stands for five ports of one host. The error says what is wrong and what is allowed.
[[nodiscard]] Result<std::vector<std::string>> parse_nodes(const std::string& text);

}  // namespace anel::client

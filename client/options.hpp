// What a user of the client library may choose.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/session.hpp"

namespace anel::client {

/// What push does when the window is full.
enum class WhenFull {
    block,   ///< waits until there is room
    refuse,  ///< returns at once with `would_block`
};

struct Options {
    std::vector<std::string> nodes;  ///< "host:port", tried in this order from `first_node` on
    std::string client_id{};         ///< 1 to 64 bytes; empty: a random one
    std::uint64_t instance = 0;      ///< 0: random, or the one of the outbox file
    std::size_t first_node = 0;
    /// Keeps instance and unacked messages over a restart of this process. Written before each send; it
    /// outlives a crash of the process, and with `sync_outbox` a power cut.
    std::optional<std::filesystem::path> outbox_file{};
    bool sync_outbox = false;
    std::uint32_t batch_messages = 256;
    std::size_t batch_bytes = 256 * 1024;
    std::size_t window_messages = 64 * 1024;
    std::size_t window_bytes = 8 * 1024 * 1024;
    WhenFull when_full = WhenFull::block;
    Timing timing{};
    /// Called on the client's own thread with each settled run of ordinals: the cheap way to follow many.
    std::function<void(const Settled&)> on_settled{};
};

/// Checks what can be checked without a node.
[[nodiscard]] Result<void> check(const Options& options);

/// "host:port" taken apart.
struct Address {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const Address&, const Address&) = default;
};
/// "host:port", or "[v6]:port". The error says what is wrong and what is allowed.
[[nodiscard]] Result<Address> parse_address(const std::string& text);
/// A list with commas. "host:5000..5004" stands for five ports of one host.
[[nodiscard]] Result<std::vector<std::string>> parse_nodes(const std::string& text);

}  // namespace anel::client

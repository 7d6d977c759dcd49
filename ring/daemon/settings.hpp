// What a node is told by flags, environment and file: one table of keys, one way to say that a value is wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "ring/core/config.hpp"
#include "ring/core/output_rotation.hpp"
#include "ring/transport/address.hpp"
#include "ring/transport/links.hpp"

namespace anel {

struct Settings {
    NodeConfig node;                   ///< `nodes` are filled from `peers`
    std::map<NodeId, Endpoint> peers;  ///< control ports of all nodes; empty: a ring of one
    std::uint16_t port = 5000;
    std::uint16_t cluster_port = 0;       ///< 0: the one that `peers` names for this node, or 6000
    std::uint16_t http_port = 0;          ///< 0: none
    std::string http_bind = "127.0.0.1";  ///< whatever `bind` says: the page shows output, and asks nobody who they are
    std::uint64_t status_viewers_max = 8;
    std::uint16_t feed_port = 0;  ///< 0: none
    std::string data = "shared_data";
    std::string bind;  ///< empty: loopback where our own entry of `peers` is loopback, else every address
    PortRange link_ports;
    std::string log_level = "info";
    std::int64_t token_timeout_ms = 300;
    std::optional<Duration> leave_patience;  ///< none: it follows from the token time-out
    std::int64_t session_idle_s = 24 * 3600;
    std::size_t connections = 16'384;                               ///< of clients, at once
    std::uint64_t unread_bytes = std::uint64_t{256} * 1024 * 1024;  ///< received from clients and not yet looked at
    OutputRotation rotation;
    bool adopt = false;  ///< a ledger may be made beside an existing output.txt, and starts behind it
};

/// Where a node listens. @param own_host  its own entry of `peers`, as a number
[[nodiscard]] std::string bind_host_of(const Settings& settings, const std::string& own_host);

/// One thing that can be set. The name is that of the file; the flag is the name with dashes.
struct Key {
    std::string name;
    std::string environment;
    std::string allowed;  ///< what values are allowed, in words
    std::string help;
    /// @return false where the value is not allowed.
    std::function<bool(Settings&, std::string_view)> set;
    std::function<std::string(const Settings&)> show;
    [[nodiscard]] std::string flag() const;
};
[[nodiscard]] const std::vector<Key>& setting_keys();

/// Values by key name.
using Values = std::map<std::string, std::string>;
/// One place values come from.
struct Source {
    std::string name;  ///< for messages: "flag", "environment", "file /etc/anel.toml"
    Values values;
};

/// Applies the first source that has a key, key by key, then checks how the values relate.
[[nodiscard]] Result<Settings> settle(const std::vector<Source>& sources);

/// The variables of this process that the table names; empty ones count as not set.
[[nodiscard]] Values values_of_environment();
/// A TOML file of plain keys. Keys that the table does not have are refused.
[[nodiscard]] Result<Values> values_of_file(const std::string& path);
[[nodiscard]] Result<Values> values_of_toml(std::string_view text, const std::string& name);

/// All settings as such a file.
[[nodiscard]] std::string as_toml(const Settings& settings);

}  // namespace anel

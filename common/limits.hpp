// Everything has a limit, and all of them stand here, with how they relate.
#pragma once

#include <cstddef>
#include <cstdint>

namespace anel::limits {

inline constexpr std::size_t nodes_max = 64;  ///< ids 0..63; votes are a 64-bit mask
inline constexpr std::size_t client_id_bytes_max = 64;
inline constexpr std::size_t batch_messages_max = 65'535;
inline constexpr std::size_t bid_messages_max =
    16'384;  ///< of one bid, beyond its first batch: text grows in the output
inline constexpr std::size_t address_bytes_max = 256;
inline constexpr std::size_t control_bytes_max = 64 * 1024;
inline constexpr std::size_t wake_bid_bytes_max = 16 * 1024;  ///< of the pushes that come with a wake
static_assert(2 * wake_bid_bytes_max < control_bytes_max);    // entries of the smallest pushes included

/// What a client may ask of a node; told to it in `welcome`.
struct ClientLimits {
    std::size_t message_bytes = 1024 * 1024;     ///< one payload
    std::size_t batch_bytes = 4 * 1024 * 1024;   ///< one push frame
    std::size_t window_bytes = 8 * 1024 * 1024;  ///< unwritten data of one client at one node
    friend bool operator==(const ClientLimits&, const ClientLimits&) = default;
};
static_assert(ClientLimits{}.message_bytes < ClientLimits{}.batch_bytes);
static_assert(ClientLimits{}.batch_bytes < ClientLimits{}.window_bytes);

}  // namespace anel::limits

// The address of a node, taken apart.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.hpp"

namespace anel::client {

struct Address {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const Address&, const Address&) = default;
};
/// "host:port", or "[v6]:port". The error says what is wrong and what is allowed.
[[nodiscard]] Result<Address> parse_address(const std::string& text);

}  // namespace anel::client

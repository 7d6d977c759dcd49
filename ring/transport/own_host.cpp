#include "ring/transport/own_host.hpp"

#include "ring/transport/address.hpp"

namespace anel {

void OwnHost::found(const std::string& numeric) {
    // The ports are bound for one kind of address: at the other kind nobody would reach us.
    if (numeric.empty() || is_ipv6(numeric) != is_ipv6(numeric_) || is_loopback(numeric) != is_loopback(numeric_))
        return;
    numeric_ = numeric;
}

void OwnHost::receive() {
    if (!ready_) return;
    for (const auto& answer : resolver_.take()) found(answer.numeric_host);
}

}  // namespace anel

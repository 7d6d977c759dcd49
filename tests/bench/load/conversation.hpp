// A client of one of the peers: keeps a window of requests in flight on a plain socket and counts what is acked.
// The peers' own protocols are spoken with the least work that is right, so that the generator is not what is measured.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/load/load.hpp"

namespace anel::bench {

class Conversation {
public:
    virtual ~Conversation() = default;
    /// What is sent first.
    [[nodiscard]] virtual std::string greeting() { return {}; }
    /// Appends one request to `out`. @return false: the peer's flow control has no room for it now.
    [[nodiscard]] virtual bool request(std::string& out) = 0;
    struct Taken {
        std::size_t bytes = 0;  ///< of `in` that were read
        std::size_t acks = 0;   ///< requests that are durable
    };
    /// Reads what stands whole in `in`, and appends to `out` what the peer must be answered at once.
    /// @throws std::runtime_error when the peer refuses something
    [[nodiscard]] virtual Taken take(std::string_view in, std::string& out) = 0;
};

using MakeConversation = std::function<std::unique_ptr<Conversation>(const Load&, std::size_t client)>;

/// Drives one conversation a client, each on a thread of its own, and reports.
void run_conversations(const Load& load, const MakeConversation& make);

}  // namespace anel::bench

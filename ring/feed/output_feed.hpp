// Gives the durable bytes of output.txt to readers over ZeroMQ, on a thread of its own.
//
// It takes nothing from the node it runs in: how far the output is durable stands in words that all nodes of the machine
// map, and the bytes come from the file. So readers cost the ring's thread nothing, and a node that is frozen out of the
// ring serves them all the same.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <zmq.hpp>

#include "common/instant.hpp"
#include "common/result.hpp"
#include "ring/feed/feed_figures.hpp"
#include "ring/ledger/opened_ledger.hpp"

namespace anel {

struct FeedOptions {
    std::filesystem::path folder;  ///< of output.txt
    std::string bind_address;      ///< tcp://...
    bool ipv6 = false;
    std::function<Instant()> now;  ///< called on the feed's thread
    FeedFigures& figures;          ///< outlives the feed
};

class OutputFeed {
public:
    /// The ledger must have been made. `address_in_use`, and what opening a ledger to look can say.
    [[nodiscard]] static Result<std::unique_ptr<OutputFeed>> start(zmq::context_t& context, const FeedOptions& options);
    /// Tells the readers that wait, so that they go to another node at once.
    virtual ~OutputFeed() = default;
    OutputFeed(const OutputFeed&) = delete;
    OutputFeed& operator=(const OutputFeed&) = delete;

protected:
    OutputFeed() = default;
};

}  // namespace anel

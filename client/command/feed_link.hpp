// Asks the feeds of nodes, one after another: who does not answer is left for the next.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "client/address.hpp"
#include "client/dealer.hpp"
#include "common/feed_protocol.hpp"

namespace anel::command {

class FeedLink {
public:
    /// @param addresses  at least one.   @param ends  asked now and then: whether to stop waiting.
    FeedLink(std::vector<client::Address> addresses, std::function<bool()> ends)
        : addresses_{std::move(addresses)}, ends_{std::move(ends)} {}

    /// The answer of the present node, valid until the next call; nothing: it was left, `trouble` says why.
    [[nodiscard]] std::optional<FeedAnswer> ask(const FeedRead& request);
    /// Goes to the next node, after a pause where all were left in vain since stay().
    void leave(std::string why);
    /// The present node is of use.
    void stay() { left_ = 0; }

    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    /// Every node was left since one was of use.
    [[nodiscard]] bool tried_all() const { return left_ >= addresses_.size(); }

private:
    [[nodiscard]] bool open();
    /// Until there is an answer, the connection is gone, or the time is over. @return why there is none.
    [[nodiscard]] std::string wait();

    std::vector<client::Address> addresses_;
    std::function<bool()> ends_;
    std::size_t at_ = 0;
    std::size_t left_ = 0;  ///< nodes, since one was of use
    std::string trouble_;
    zmq::context_t context_{1};
    client::Dealer dealer_{context_};
    zmq::message_t answer_;
};

}  // namespace anel::command

// Who waits for output, and who is answered now. Pure: frames, marks and the time go in, answers come out.
//
// It keeps a request, never output: what is answered is read when it is sent. A reader has one place; who asks again
// before the answer has come has changed its mind.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/feed_protocol.hpp"
#include "common/instant.hpp"
#include "ring/core/io.hpp"

namespace anel {

/// Bytes of output to be read and sent.
struct Portion {
    Connection to;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  ///< 0: the answer says where the end is, and nothing more
};
struct Refusal {
    Connection to;
    FeedReject reject;
};
/// A part of the output, bytes.
struct Extent {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};
using DeskAnswer = std::variant<Portion, Refusal>;

class ReadingDesk {
public:
    /// @param ledger  the name of what stands in output.txt.
    explicit ReadingDesk(std::string ledger, std::size_t readers_max = limits::feed_readers_max)
        : ledger_{std::move(ledger)}, readers_max_{readers_max} {}

    /// Takes one frame of a reader. @return why it cannot be served; nothing: it waits now.
    [[nodiscard]] std::optional<Refusal> take(const Connection& from, BytesView frame, Instant now);

    /// Those whose answer is due, who came first first. They do not wait any more.
    /// @param there  durable bytes that were not removed.   @param room  bytes of output that may be given out now.
    [[nodiscard]] std::vector<DeskAnswer> due(const Extent& there, std::uint64_t room, Instant now);
    /// Everybody, with this reason.
    [[nodiscard]] std::vector<DeskAnswer> refuse_all(FeedRefusal code, const std::string& text);

    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    /// When somebody has to be answered though nothing came.
    [[nodiscard]] std::optional<Instant> next_wakeup() const;

private:
    struct Waiting {
        Connection from;
        FeedRead request;
        Instant until;
    };
    [[nodiscard]] std::optional<DeskAnswer> answer_to(const Waiting& one, const Extent& there, std::uint64_t room,
                                                      Instant now) const;

    std::string ledger_;
    std::size_t readers_max_;
    std::deque<Waiting> waiting_;  ///< in the order in which they came, so of `until`
};

}  // namespace anel

// Where a reader of feeds stands, and what an answer means for it. Pure: answers in, a verdict out.
//
// The place is an offset in the output of one ledger. Only bytes that begin there move it, so none is shown twice and
// none is passed over, whichever node they come from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "common/feed_protocol.hpp"

namespace anel::command {

class FeedCursor {
public:
    /// Where reading begins without an offset, as the first node that answers says.
    enum class Start { oldest, end };
    explicit FeedCursor(std::optional<std::uint64_t> offset, std::string ledger = {}, Start start = Start::end)
        : offset_{offset}, ledger_{std::move(ledger)}, start_{start} {}

    [[nodiscard]] FeedRead request() const;

    /// The next bytes of the output; empty: none came, but the node lives.
    struct GoOn {
        std::string_view bytes;
    };
    /// This node is of no use now: another one, from the same place.
    struct GoElsewhere {
        std::string why;
    };
    /// No node can go on from here.
    struct GiveUp {
        std::string why;
    };
    using Verdict = std::variant<GoOn, GoElsewhere, GiveUp>;
    [[nodiscard]] Verdict take(const FeedAnswer& answer);

    [[nodiscard]] std::optional<std::uint64_t> offset() const { return offset_; }
    [[nodiscard]] const std::string& ledger() const { return ledger_; }  ///< empty: not known yet
    [[nodiscard]] std::uint64_t begin() const { return begin_; }  ///< of what is there, where no offset was given
    [[nodiscard]] std::uint64_t end() const { return end_; }      ///< as the last answer said
    [[nodiscard]] Round round() const { return round_; }          ///< before that end
    void seek(std::uint64_t offset) { offset_ = offset; }

private:
    std::optional<std::uint64_t> offset_;
    std::string ledger_;
    Start start_;
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
    Round round_;
};

}  // namespace anel::command

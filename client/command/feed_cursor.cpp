#include "client/command/feed_cursor.hpp"

#include <fmt/format.h>

namespace anel::command {

FeedRead FeedCursor::request() const {
    if (!offset_) return {ledger_, 0, 0};
    return {ledger_, *offset_, limits::feed_answer_bytes_max};
}

FeedCursor::Verdict FeedCursor::take(const FeedAnswer& answer) {
    if (const auto* reject = std::get_if<FeedReject>(&answer)) {
        auto why = fmt::format("{}: {}", name_of(reject->code), reject->text);
        if (is_final(reject->code)) return GiveUp{std::move(why)};
        return GoElsewhere{std::move(why)};
    }
    const auto& output = std::get<FeedOutput>(answer);
    if (!ledger_.empty() && output.ledger != ledger_) {
        return GiveUp{fmt::format("other_ledger: the output of ledger {} was read, and this node has that of {}",
                                  ledger_, output.ledger)};
    }
    const bool first = !offset_;
    if (!first && output.offset != *offset_) {
        return GoElsewhere{
            fmt::format("offset {} was asked for, and the node answers with {}", *offset_, output.offset)};
    }
    ledger_ = output.ledger;
    end_ = output.end;
    round_ = output.round;
    if (first) {
        begin_ = output.offset;
        offset_ = start_ == Start::oldest ? begin_ : output.end;
        return GoOn{};
    }
    *offset_ += output.bytes.size();
    return GoOn{output.bytes};
}

}  // namespace anel::command

#include "ring/feed/reading_desk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace anel {

std::optional<Refusal> ReadingDesk::take(const Connection& from, BytesView frame, Instant now) {
    const auto refuse = [&](FeedRefusal code, std::string text) { return Refusal{from, {code, std::move(text)}}; };
    auto request = decode_feed_request(frame);
    if (!request) return refuse(FeedRefusal::malformed, request.error().text);
    if (!request->ledger.empty() && request->ledger != ledger_) {
        return refuse(FeedRefusal::other_ledger,
                      fmt::format("this is the output of ledger {}, not of {}: it was exchanged, or accepted by anel "
                                  "repair --adopt; what was read before is of another one, begin anew",
                                  ledger_, request->ledger));
    }
    std::erase_if(waiting_, [&](const Waiting& one) { return one.from.routing_id == from.routing_id; });
    if (waiting_.size() >= readers_max_) {
        return refuse(
            FeedRefusal::too_many_readers,
            fmt::format("{} readers wait here, and no more are allowed: read from another node", readers_max_));
    }
    waiting_.push_back({from, std::move(*request), now + feed_heartbeat});
    return std::nullopt;
}

std::optional<DeskAnswer> ReadingDesk::answer_to(const Waiting& one, const Extent& there, std::uint64_t room,
                                                 Instant now) const {
    const auto& request = one.request;
    const auto end = there.end;
    if (request.bytes_max == 0) return Portion{one.from, std::clamp(request.offset, there.begin, end), 0};
    if (request.offset < there.begin) {
        return Refusal{one.from,
                       {FeedRefusal::removed,
                        fmt::format("offset {} was asked for, and the output before {} was removed with its files",
                                    request.offset, there.begin)}};
    }
    if (request.offset < end) {
        const auto bytes = std::min({end - request.offset, request.bytes_max, limits::feed_answer_bytes_max});
        if (bytes <= room) return Portion{one.from, request.offset, bytes};
        // No room: it waits as if nothing had come, and hears that this node lives.
    }
    if (now < one.until) return std::nullopt;
    if (request.offset > end) {
        return Refusal{one.from,
                       {FeedRefusal::behind,
                        fmt::format("offset {} was asked for, and {} bytes are durable here", request.offset, end)}};
    }
    return Portion{one.from, request.offset, 0};
}

std::vector<DeskAnswer> ReadingDesk::due(const Extent& there, std::uint64_t room, Instant now) {
    std::vector<DeskAnswer> answers;
    std::erase_if(waiting_, [&](const Waiting& one) {
        auto answer = answer_to(one, there, room, now);
        if (!answer) return false;
        if (const auto* portion = std::get_if<Portion>(&*answer)) room -= portion->bytes;
        answers.push_back(std::move(*answer));
        return true;
    });
    return answers;
}

std::vector<DeskAnswer> ReadingDesk::refuse_all(FeedRefusal code, const std::string& text) {
    std::vector<DeskAnswer> answers;
    for (auto& one : waiting_) answers.emplace_back(Refusal{std::move(one.from), {code, text}});
    waiting_.clear();
    return answers;
}

std::optional<Instant> ReadingDesk::next_wakeup() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front().until;
}

}  // namespace anel

// How the session keeps a link: hello, sending, time-outs, fail-over.
#include <fmt/format.h>

#include <algorithm>

#include "client/session.hpp"

namespace anel::client {
namespace {

constexpr std::size_t pause_doublings_max = 2;

}  // namespace

void Session::step(const Input& input, Instant now, Actions& actions) {
    if (state_ == LinkState::ended) return;
    std::visit([&](const auto& one) { on(one, now, actions); }, input);
}

bool Session::window_open(const Entry& entry) const {
    return in_flight_bytes_ == 0 || in_flight_bytes_ + entry.batch.frame_bytes() <= node_limits_.window_bytes;
}

bool Session::wants_step() const {
    if (!started_) return true;
    if (state_ != LinkState::pushing) return false;
    if (next_ < outbox_.size()) return window_open(outbox_[next_]);
    return next_ == 0 && !open_.empty();
}

std::optional<Instant> Session::next_wakeup() const {
    switch (state_) {
        case LinkState::waiting: return pause_until_;
        case LinkState::connecting:
        case LinkState::greeting:
        case LinkState::leaving: return answer_deadline_;
        case LinkState::paused: return std::min(pause_until_, progress_deadline_);
        case LinkState::pushing:
            if (next_ > 0) return std::min(answer_deadline_, progress_deadline_);
            return std::nullopt;
        case LinkState::ended: return std::nullopt;
    }
    return std::nullopt;
}

// --- the link ------------------------------------------------------------------------------------

void Session::open_link(Instant now, Actions& actions) {
    state_ = LinkState::connecting;
    hellos_in_row_ = 0;
    answer_deadline_ = now + options_.timing.connect_timeout();
    actions.emplace_back(OpenLink{node_});
}

/// The next entry is one message that this node can only refuse. @return false: the node was left instead,
/// because another one may have the message.
bool Session::refuse_next(const Reject& reject, Instant now, Actions& actions) {
    if (outbox_[next_].sent_before) {
        give_up_here(reject, now, actions);
        return false;
    }
    refuse_entry(next_, reject, actions);
    return true;
}

/// The next node, at once; when all were tried in vain, after a pause that grows.
void Session::fail_over(const std::string& why, Instant now, Actions& actions) {
    trouble_ = why;
    actions.emplace_back(CloseLink{why});
    for (auto& entry : outbox_) {
        if (entry.first.value == 0) break;
        entry.sent_before = true;
    }
    next_ = 0;
    skipped_ = 0;
    in_flight_bytes_ = 0;
    node_ = (node_ + 1) % options_.nodes;
    ++failures_in_row_;
    state_ = LinkState::waiting;
    pause_until_ = now;
    const auto laps = failures_in_row_ / options_.nodes;
    if (laps > 0) pause_until_ += options_.timing.retry_pause() * (1 << std::min(laps - 1, pause_doublings_max));
    if (pause_until_ <= now) open_link(now, actions);
}

void Session::greet(Instant now, Actions& actions) {
    state_ = LinkState::greeting;
    ++hellos_in_row_;
    expect_answer(now);
    const HelloRequest hello{options_.client_id, options_.instance, sent_, birth_to_name()};
    actions.emplace_back(SendFrame{Blob::of(encode(hello))});
}

void Session::expect_answer(Instant now) { answer_deadline_ = now + options_.timing.answer_timeout; }

void Session::send_entry(Entry& entry, Actions& actions) {
    if (entry.first.value != 0) {
        actions.emplace_back(SendFrame{entry.batch.frame(entry.first)});
        return;
    }
    entry.first = assigned_.next();
    assigned_ = entry.last();
    sent_ = std::max(sent_, assigned_);
    const auto frame = entry.batch.frame(entry.first);
    actions.emplace_back(KeepFrame{frame});
    actions.emplace_back(SendFrame{frame});
}

void Session::send_what_may(Instant now, Actions& actions) {
    if (state_ != LinkState::pushing) return;
    // A resend is no progress: the clock of acks starts with what was never sent.
    const bool all_new = outbox_.empty() || outbox_.front().first.value == 0;
    if (all_new) progress_deadline_ = now + options_.timing.progress_timeout();
    if (next_ == 0) expect_answer(now);
    while (true) {
        // Nothing under way: what there is goes at once. Else it waits for a full batch or the next ack.
        if (next_ == outbox_.size() && next_ == 0 && !open_.empty()) seal_open();
        if (next_ == outbox_.size() || !window_open(outbox_[next_])) break;
        auto& entry = outbox_[next_];
        if (entry.batch.frame_bytes() > node_limits_.batch_bytes) {
            if (entry.batch.count() == 1) {
                // The node would cut the connection rather than answer, and again after every resend.
                const auto text = fmt::format("the node takes {} bytes at once", node_limits_.batch_bytes);
                if (!refuse_next(Reject{{}, entry.first, RejectCode::too_large, text}, now, actions)) return;
                continue;
            }
            const auto half = entry.batch.count() / 2;
            Entry tail{Ordinal{entry.ordinal.value + half}, ClientSequence{0}, entry.batch.split_behind(half),
                       entry.sent_before};
            if (entry.first.value != 0) tail.first = ClientSequence{entry.first.value + half};
            outbox_.insert(outbox_.begin() + static_cast<std::ptrdiff_t>(next_) + 1, std::move(tail));
            continue;
        }
        send_entry(entry, actions);
        in_flight_bytes_ += entry.batch.frame_bytes();
        ++next_;
    }
    leave_if_asked(now, actions);
}

void Session::leave_if_asked(Instant now, Actions& actions) {
    if (!leave_requested_ || unsettled_messages_ > 0) return;
    state_ = LinkState::leaving;
    bye_sent_ = true;
    expect_answer(now);
    actions.emplace_back(SendFrame{Blob::of(encode(ByeRequest{options_.client_id, options_.instance}))});
}

void Session::on(const Connected&, Instant now, Actions& actions) {
    if (state_ == LinkState::connecting) greet(now, actions);
}

void Session::on(const Disconnected& input, Instant now, Actions& actions) {
    if (state_ != LinkState::waiting) fail_over(input.why, now, actions);
}

void Session::on(const LeaveRequested&, Instant now, Actions& actions) {
    leave_requested_ = true;
    if (state_ == LinkState::pushing) send_what_may(now, actions);
}

void Session::on(const Ticked&, Instant now, Actions& actions) {
    if (!started_) {
        started_ = true;
        open_link(now, actions);
        return;
    }
    switch (state_) {
        case LinkState::waiting:
            if (now >= pause_until_) open_link(now, actions);
            return;
        case LinkState::connecting:
            if (now >= answer_deadline_) fail_over("no connection in time", now, actions);
            return;
        case LinkState::greeting:
        case LinkState::leaving:
            if (now >= answer_deadline_) fail_over("no answer in time", now, actions);
            return;
        case LinkState::paused:
            if (now >= progress_deadline_) {
                fail_over("busy for too long", now, actions);
            } else if (now >= pause_until_) {
                state_ = LinkState::pushing;
                expect_answer(now);
                send_what_may(now, actions);
            }
            return;
        case LinkState::pushing:
            if (next_ > 0 && now >= answer_deadline_) fail_over("no answer in time", now, actions);
            else if (next_ > 0 && now >= progress_deadline_) fail_over("no ack in time", now, actions);
            else send_what_may(now, actions);
            return;
        case LinkState::ended: return;
    }
}

}  // namespace anel::client

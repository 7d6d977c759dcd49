// What the session makes of the answers of a node.
#include <fmt/format.h>

#include <algorithm>

#include "client/session.hpp"

namespace anel::client {
namespace {

constexpr std::size_t hellos_in_row_max = 3;

bool is_of(const std::string& client_id, const std::string& mine) { return client_id.empty() || client_id == mine; }

}  // namespace

void Session::on(const Replied& input, Instant now, Actions& actions) {
    if (state_ == LinkState::waiting || state_ == LinkState::connecting) return;
    std::visit([&](const auto& reply) { on_reply(reply, now, actions); }, input.reply);
}

/// Another session than the one that was pushed under does not know what that one wrote. (No node welcomes to another
/// one who names it; this one may have been restored from an older time.)
bool Session::goes_on_in(const Welcome& welcome) const { return birth_to_name().value == 0 || welcome.birth == birth_; }

void Session::on_reply(const Welcome& welcome, Instant now, Actions& actions) {
    if (state_ != LinkState::greeting || !is_of(welcome.client_id, options_.client_id)) return;
    node_limits_ = welcome.limits;
    if (!goes_on_in(welcome)) {
        constexpr auto other_session = "what was sent belongs to a session that has ended";
        end(fmt::format("session_retired: {}", other_session), {"session_retired", other_session}, actions);
        return;
    }
    if (birth_ != welcome.birth) {
        birth_ = welcome.birth;
        actions.emplace_back(KeepBirth{birth_});
    }
    if (sent_.value == 0) {
        // A new session, or one taken over: our numbers go on behind what stands there.
        acked_ = welcome.last;
        assigned_ = welcome.last;
    } else if (welcome.last > assigned_) {
        end(fmt::format("conflict: the session stands at {}, this client sent no more than {}", welcome.last.value,
                        assigned_.value),
            {"conflict", "another process pushes under this client id and instance"}, actions);
        return;
    } else if (welcome.last < acked_) {
        fail_over(fmt::format("the node stands at {}, but {} was acked", welcome.last.value, acked_.value), now,
                  actions);
        return;
    }
    // What is written need not be durable, so no ack may be read out of a welcome. The last written
    // message goes again, in a batch of its own: its ack covers all before it.
    if (welcome.last > acked_) {
        cut_before(welcome.last.next());
        resend_from(welcome.last);
    } else {
        resend_from(welcome.last.next());
    }
    skipped_ = next_;
    in_flight_bytes_ = 0;
    trouble_.clear();
    if (unsettled_messages_ == 0) failures_in_row_ = 0;
    state_ = LinkState::pushing;
    expect_answer(now);
    progress_deadline_ = now + options_.timing.progress_timeout();
    send_what_may(now, actions);
}

void Session::on_reply(const Ack& ack, Instant now, Actions& actions) {
    if (!is_of(ack.client_id, options_.client_id)) return;
    if (ack.last > assigned_ || ack.last <= acked_) return;
    take_ack(ack.last, ack.sequence, ack.round, actions);
    failures_in_row_ = 0;
    hellos_in_row_ = 0;
    trouble_.clear();
    expect_answer(now);
    progress_deadline_ = now + options_.timing.progress_timeout();
    send_what_may(now, actions);
}

void Session::on_reply(const Busy& busy, Instant now, Actions& actions) {
    if (!is_of(busy.client_id, options_.client_id)) return;
    if (state_ == LinkState::greeting || state_ == LinkState::leaving) {
        fail_over("busy", now, actions);
        return;
    }
    if (!find(busy.first)) return;
    resend_from(busy.first);
    const std::chrono::milliseconds asked{std::clamp<std::uint64_t>(busy.retry_after_ms, 1, 60'000)};
    pause_until_ = now + std::min<Duration>(asked, options_.timing.answer_timeout);
    state_ = LinkState::paused;
    trouble_ = "busy";
}

bool Session::may_renew() const {
    const bool nothing_unacked = outbox_.empty() || outbox_.front().first.value == 0;
    return state_ == LinkState::greeting && options_.fresh_instance.value != 0 && nothing_unacked;
}

void Session::on_reply(const Reject& reject, Instant now, Actions& actions) {
    if (!is_of(reject.client_id, options_.client_id)) return;
    const auto text = fmt::format("{}: {}", name_of(reject.code), reject.text);
    switch (reject.code) {
        case RejectCode::too_large:
        case RejectCode::malformed: on_refused_batch(reject, now, actions); return;
        case RejectCode::session_retired:
            if (bye_sent_) end({}, {"closed", "the client was closed"}, actions);  // the bye is decided
            else if (may_renew()) renew(now, actions);
            else end(text, {std::string{name_of(reject.code)}, reject.text}, actions);
            return;
        case RejectCode::conflict: end(text, {std::string{name_of(reject.code)}, reject.text}, actions); return;
        case RejectCode::gap:
        case RejectCode::hello_first:
            // Of a batch before the hello, whose answer comes; or of the hello itself, whose session changed meanwhile.
            if (state_ == LinkState::greeting && reject.sequence.value != 0) return;
            if (hellos_in_row_ >= hellos_in_row_max) fail_over(text, now, actions);
            else greet(now, actions);
            return;
        case RejectCode::busy:  // the answer to plain text; a push gets a Busy
        case RejectCode::no_quorum:
        case RejectCode::too_many_sessions:
        case RejectCode::shutting_down:
        case RejectCode::disk_full: fail_over(text, now, actions); return;
    }
}

/// `too_large` or `malformed`: final for one message, which is found by halving its batch; what comes
/// behind it must not be lost.
void Session::on_refused_batch(const Reject& reject, Instant now, Actions& actions) {
    const auto text = fmt::format("{}: {}", name_of(reject.code), reject.text);
    if (state_ == LinkState::greeting && reject.sequence.value == 0 && birth_to_name().value != 0) {
        give_up_here(reject, now, actions);  // a node of an older program, which reads no birth
        return;
    }
    if (state_ == LinkState::greeting && reject.sequence.value == 0) {
        end(text, {std::string{name_of(reject.code)}, reject.text}, actions);  // our very hello is refused
        return;
    }
    const auto index = find(reject.sequence);
    if (!index || outbox_[*index].sent_before) {
        give_up_here(reject, now, actions);
        return;
    }
    const auto first = outbox_[*index].first;
    if (first == reject.sequence && outbox_[*index].batch.count() > 1) {
        cut_before(ClientSequence{first.value + outbox_[*index].batch.count() / 2});
        resend_from(first);
    } else {
        cut_before(reject.sequence);
        cut_before(reject.sequence.next());
        refuse_entry(*find(reject.sequence), reject, actions);
        resend_from(first);
    }
    send_what_may(now, actions);
}

/// Another node may have taken the message, so its number cannot go to another one.
void Session::give_up_here(const Reject& reject, Instant now, Actions& actions) {
    const auto text = fmt::format("{}: {}", name_of(reject.code), reject.text);
    if (failures_in_row_ >= 2 * options_.nodes) end(text, {std::string{name_of(reject.code)}, reject.text}, actions);
    else fail_over(text, now, actions);
}

void Session::on_reply(const Byed& byed, Instant now, Actions& actions) {
    (void)now;
    if (state_ != LinkState::leaving || !is_of(byed.client_id, options_.client_id)) return;
    end({}, {"closed", "the client was closed"}, actions);
}

}  // namespace anel::client

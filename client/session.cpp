#include "client/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/assert.hpp"

namespace anel::client {

Session::Session(SessionOptions options, const KeptOutbox& kept)
    : options_{std::move(options)},
      node_{options_.first_node % options_.nodes},
      open_{options_.client_id, options_.instance},
      sent_{kept.sent},
      birth_{kept.birth},
      acked_{kept.acked},
      assigned_{kept.acked} {
    ANEL_ASSERT(options_.nodes > 0);
    ANEL_ASSERT(options_.instance.value != 0);
    ANEL_ASSERT(options_.batch_messages > 0);
    ANEL_ASSERT(options_.batch_messages <= limits::batch_messages_max);
    node_limits_.message_bytes = options_.message_bytes;  // until a welcome tells the node's
    for (const auto& batch : kept.batches) {
        ANEL_ASSERT(batch.first == assigned_.next());
        Entry entry{last_ordinal_.next(), batch.first, Batch{options_.client_id, options_.instance}, true};
        for (const auto& [timestamp, payload] : batch.messages) entry.batch.append(timestamp, payload);
        last_ordinal_.value += entry.batch.count();
        assigned_ = entry.last();
        unsettled_messages_ += entry.batch.count();
        unsettled_bytes_ += entry.batch.messages_bytes();
        outbox_.push_back(std::move(entry));
    }
    sent_ = std::max(sent_, assigned_);
    open_ordinal_ = last_ordinal_.next();
}

// --- the outbox ----------------------------------------------------------------------------------

tl::expected<Ordinal, Refused> Session::refuse_push(std::string code, std::string text) const {
    return tl::unexpected{Refused{std::move(code), std::move(text)}};
}

bool Session::has_room() const {
    return unsettled_messages_ < options_.window_messages && unsettled_bytes_ < options_.window_bytes;
}

tl::expected<Ordinal, Refused> Session::push(Timestamp timestamp, std::string_view payload) {
    // Sizes are checked before a message gets any number, so a message that is refused leaves no gap.
    const auto most = std::min(options_.message_bytes, node_limits_.message_bytes);
    if (payload.size() > most) {
        return refuse_push("too_large", fmt::format("a message of {} bytes, {} are allowed", payload.size(), most));
    }
    if (state_ == LinkState::ended) return tl::unexpected{ended_because_};
    if (leave_requested_) return refuse_push("closed", "the client was closed");
    if (!has_room()) return refuse_push("would_block", "the window is full");

    const auto growth = Batch::bytes_for(payload.size());
    const auto batch_bytes = std::min(options_.batch_bytes, node_limits_.batch_bytes);
    if (!open_.empty() && open_.frame_bytes() + growth > batch_bytes) seal_open();
    const auto before = open_.messages_bytes();
    open_.append(timestamp, payload);
    ++last_ordinal_.value;
    ++unsettled_messages_;
    unsettled_bytes_ += open_.messages_bytes() - before;
    if (open_.count() >= options_.batch_messages) seal_open();
    return last_ordinal_;
}

/// The open batch takes no more messages; a new one begins.
void Session::seal_open() {
    const auto expected = open_.count() >= options_.batch_messages ? open_.messages_bytes() : 0;
    outbox_.push_back({open_ordinal_, ClientSequence{0}, std::move(open_)});
    open_ordinal_ = last_ordinal_.next();
    open_ = Batch{options_.client_id, options_.instance, expected};
}

/// Neighbours with the same outcome are told as one run.
void Session::settle(const Entry& entry, Outcome outcome, Actions& actions) {
    const auto count = entry.batch.count();
    ANEL_ASSERT(unsettled_messages_ >= count);
    ANEL_ASSERT(unsettled_bytes_ >= entry.batch.messages_bytes());
    unsettled_messages_ -= count;
    unsettled_bytes_ -= entry.batch.messages_bytes();
    const Ordinal last{entry.ordinal.value + count - 1};
    auto* run = actions.empty() ? nullptr : std::get_if<Settled>(&actions.back());
    if (run && run->last.next() == entry.ordinal && run->outcome == outcome) {
        run->last = last;
    } else {
        actions.emplace_back(Settled{entry.ordinal, last, std::move(outcome)});
    }
}

void Session::take_ack(ClientSequence last, Sequence sequence, Round round, Actions& actions) {
    if (last <= acked_) return;
    cut_before(last.next());
    while (!outbox_.empty() && outbox_.front().first.value != 0 && outbox_.front().last() <= last) {
        const auto& entry = outbox_.front();
        settle(entry, Durable{sequence, round}, actions);
        if (skipped_ > 0) --skipped_;
        else if (next_ > 0) in_flight_bytes_ -= entry.batch.frame_bytes();
        if (next_ > 0) --next_;
        outbox_.pop_front();
    }
    acked_ = last;
    actions.emplace_back(ForgetKept{acked_});
}

/// The entry that holds this client sequence.
std::optional<std::size_t> Session::find(ClientSequence sequence) const {
    if (sequence.value == 0 || sequence <= acked_ || sequence > assigned_) return std::nullopt;
    // Numbered entries come first and in order (invariant 1).
    const auto above = std::partition_point(outbox_.begin(), outbox_.end(), [&](const Entry& entry) {
        return entry.first.value != 0 && entry.last() < sequence;
    });
    ANEL_ASSERT(above != outbox_.end());
    ANEL_ASSERT(above->first.value != 0 && above->first <= sequence);
    return static_cast<std::size_t>(above - outbox_.begin());
}

/// Makes this client sequence, if it is in the outbox, the first of its batch.
void Session::cut_before(ClientSequence sequence) {
    const auto index = find(sequence);
    if (!index || outbox_[*index].first == sequence) return;
    auto& entry = outbox_[*index];
    const auto count = static_cast<std::uint32_t>(sequence.value - entry.first.value);
    Entry tail{Ordinal{entry.ordinal.value + count}, sequence, entry.batch.split_behind(count), entry.sent_before};
    outbox_.insert(outbox_.begin() + static_cast<std::ptrdiff_t>(*index) + 1, std::move(tail));
    if (*index < next_) ++next_;
    if (*index < skipped_) ++skipped_;
    recount_in_flight();
}

void Session::recount_in_flight() {
    in_flight_bytes_ = 0;
    for (auto index = skipped_; index < next_; ++index) in_flight_bytes_ += outbox_[index].batch.frame_bytes();
}

/// The batch that begins here goes out next. A sequence behind all that was ever sent: what was never sent.
void Session::resend_from(ClientSequence sequence) {
    cut_before(sequence);
    if (const auto index = find(sequence)) {
        next_ = *index;
    } else {
        const auto unsent = std::partition_point(outbox_.begin(), outbox_.end(),
                                                 [](const Entry& entry) { return entry.first.value != 0; });
        next_ = static_cast<std::size_t>(unsent - outbox_.begin());
    }
    skipped_ = std::min(skipped_, next_);
    recount_in_flight();
}

/// Takes one message that the only node that saw it refused out of the outbox, and gives its number to
/// the next. Sound because no other node has seen this number or a higher one (sent_before is false). The others keep
/// numbers, so that the outbox has them all when it is written anew, whenever they go out again.
void Session::refuse_entry(std::size_t index, const Reject& reject, Actions& actions) {
    ANEL_ASSERT(outbox_[index].batch.count() == 1);
    ANEL_ASSERT(!outbox_[index].sent_before);
    if (outbox_[index].first.value != 0) --assigned_.value;
    settle(outbox_[index], Refused{std::string{name_of(reject.code)}, reject.text}, actions);
    outbox_.erase(outbox_.begin() + static_cast<std::ptrdiff_t>(index));
    for (auto later = index; later < outbox_.size(); ++later) {
        if (outbox_[later].first.value != 0) --outbox_[later].first.value;
    }
    next_ = index;
    recount_in_flight();
    actions.emplace_back(ReplaceKept{});
}

/// The ledger has no session of this client any more, and nothing of ours is unacked: nothing can be written twice.
void Session::renew(Instant now, Actions& actions) {
    options_.instance = std::exchange(options_.fresh_instance, Instance{0});
    sent_ = {0};
    birth_ = {0};
    acked_ = {0};
    assigned_ = {0};
    const auto of_new_instance = [&](Batch& batch) {
        Batch fresh{options_.client_id, options_.instance, batch.messages_bytes()};
        batch.for_each([&](Timestamp timestamp, std::string_view payload) { fresh.append(timestamp, payload); });
        batch = std::move(fresh);
    };
    for (auto& entry : outbox_) of_new_instance(entry.batch);
    of_new_instance(open_);
    actions.emplace_back(Renewed{options_.instance});
    greet(now, actions);
}

void Session::settle_all(const Unknown& sent, const Refused& unsent, Actions& actions) {
    if (!open_.empty()) seal_open();
    for (const auto& entry : outbox_) {
        if (entry.first.value != 0) settle(entry, sent, actions);
        else settle(entry, unsent, actions);
    }
    outbox_.clear();
    next_ = 0;
    skipped_ = 0;
    in_flight_bytes_ = 0;
    ANEL_ASSERT(unsettled_messages_ == 0);
    ANEL_ASSERT(unsettled_bytes_ == 0);
}

void Session::end(const std::string& why, const Refused& unsent, Actions& actions) {
    state_ = LinkState::ended;
    ended_because_ = unsent;
    trouble_ = why;
    actions.emplace_back(CloseLink{why});
    settle_all(Unknown{why}, unsent, actions);
    actions.emplace_back(Ended{why});
}

void Session::abandon(const std::string& why, Actions& actions) {
    if (state_ == LinkState::ended) return;
    end(why, Refused{"closed", why}, actions);
}

KeptOutbox Session::outbox() const {
    KeptOutbox kept{sent_, acked_, {}, birth_};
    for (const auto& entry : outbox_) {
        if (entry.first.value == 0) break;
        KeptBatch batch{entry.first, {}};
        entry.batch.for_each([&](Timestamp timestamp, std::string_view payload) {
            batch.messages.emplace_back(timestamp, std::string{payload});
        });
        kept.batches.push_back(std::move(batch));
    }
    return kept;
}

}  // namespace anel::client

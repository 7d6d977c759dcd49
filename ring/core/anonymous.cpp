#include "ring/core/anonymous.hpp"

#include <fmt/format.h>

#include "ring/core/output_format.hpp"

namespace anel {

std::string anonymous_client_id(NodeId node, Incarnation incarnation) {
    return fmt::format("{}{}:{:016x}", anonymous_prefix, node.value, incarnation.value);
}

Anonymous::Anonymous(Context& context)
    : context_{context}, client_id_{anonymous_client_id(context.config.self, context.incarnation)} {}

std::vector<Blob> Anonymous::text_arrived(const Connection& connection, const Blob& text) {
    const auto refuse = [&](RejectCode code, std::string why) {
        context_.act(ReplyClient{connection, TextError{code, std::move(why)}});
        return std::vector<Blob>{};
    };
    if (text.empty()) return refuse(RejectCode::malformed, "an empty message; one byte of UTF-8 text at least");
    if (!is_utf8(text.text())) return refuse(RejectCode::malformed, "plain text must be UTF-8");
    const auto& limits = context_.config.client_limits;
    if (text.size() > limits.message_bytes) {
        return refuse(RejectCode::too_large,
                      fmt::format("a message of {} bytes, {} are allowed", text.size(), limits.message_bytes));
    }
    if (!waiting_.empty() && waiting_bytes_ + text.size() > limits.window_bytes)
        return refuse(RejectCode::busy, "try again in a moment");
    const bool numbered = greeting_ == Greeting::welcomed;
    if (numbered) last_ = last_.next();
    waiting_.push_back({connection, numbered ? last_ : ClientSequence{}, text, {}});
    waiting_bytes_ += waiting_.back().cost();
    switch (greeting_) {
        case Greeting::none: greeting_ = Greeting::helloed; return {hello()};
        case Greeting::helloed: return {};
        case Greeting::welcomed: return {push(waiting_.back())};
    }
    return {};
}

std::vector<Blob> Anonymous::replied(const ClientReply& reply) {
    std::vector<Blob> frames;
    std::visit(Overloaded{
                   [&](const Welcome& welcome) {
                       if (greeting_ == Greeting::welcomed) return;
                       greeting_ = Greeting::welcomed;
                       // What waits was never pushed under this greeting; the ledger says where its numbers begin.
                       last_ = welcome.last;
                       for (auto& waiting : waiting_) {
                           if (waiting.written.value != 0) continue;
                           waiting.sequence = last_ = last_.next();
                           frames.push_back(push(waiting));
                       }
                   },
                   [&](const Ack& ack) {
                       while (!waiting_.empty() && waiting_.front().sequence.value != 0 &&
                              waiting_.front().sequence <= ack.last) {
                           auto& done = waiting_.front();
                           // Where a snapshot stood for the rounds themselves, it tells the number of the last alone.
                           if (done.sequence == ack.last) done.written = ack.sequence;
                           if (done.written.value != 0) {
                               context_.act(ReplyClient{done.connection, TextOk{done.written}});
                           } else {
                               context_.act(ReplyClient{
                                   done.connection, TextError{RejectCode::session_retired,
                                                              "written, but its ledger sequence is not known here"}});
                           }
                           waiting_bytes_ -= done.cost();
                           waiting_.pop_front();
                       }
                   },
                   [&](const Busy& busy) {
                       refuse_from(busy.first, RejectCode::busy, "try again in a moment");
                       if (busy.first.value == 0) greeting_ = Greeting::none;
                   },
                   [&](const Reject& reject) {
                       // A push alone was refused; without a client sequence it was the hello.
                       const bool push_only = reject.code == RejectCode::disk_full || reject.code == RejectCode::gap ||
                                              reject.code == RejectCode::too_large;
                       const bool goes_on = push_only && reject.sequence.value != 0;
                       refuse_from(goes_on ? reject.sequence : ClientSequence{}, reject.code, reject.text);
                       if (!goes_on) greeting_ = Greeting::none;
                   },
                   [&](const Byed&) {},
                   [&](const TextOk&) {},
                   [&](const TextError&) {},
                   [&](const StatusReply&) {},
               },
               reply);
    return frames;
}

void Anonymous::applied(const RoundResult& result) {
    if (waiting_.empty()) return;
    for (const auto& change : result.changes) {
        if (change.client_id != client_id_ || !change.session || change.each.empty()) continue;
        // The messages of one round are the consecutive ones that end at the session's last.
        const std::uint64_t first = change.session->last.value + 1 - change.each.size();
        for (auto& waiting : waiting_) {
            if (waiting.sequence.value < first || waiting.sequence > change.session->last) continue;
            waiting.written = change.each[waiting.sequence.value - first];
        }
    }
}

Blob Anonymous::hello() const {
    return Blob::of(encode(HelloRequest{client_id_, Instance{context_.incarnation.value}, {}}));
}

Blob Anonymous::push(const Waiting& waiting) const {
    return Blob::of(encode_push(client_id_, Instance{context_.incarnation.value}, waiting.sequence,
                                {{context_.now.wall_us, waiting.text.text()}}));
}

/// Refuses what is not written from `first` on. The numbers of the refused are free again: nothing of them is in a bid,
/// or the next welcome tells where to begin.
void Anonymous::refuse_from(ClientSequence first, RejectCode code, const std::string& why) {
    while (!waiting_.empty() && waiting_.back().written.value == 0 && waiting_.back().sequence >= first) {
        const auto& refused = waiting_.back();
        context_.act(ReplyClient{refused.connection, TextError{code, why}});
        waiting_bytes_ -= refused.cost();
        if (refused.sequence.value != 0) last_ = ClientSequence{refused.sequence.value - 1};
        waiting_.pop_back();
    }
}

}  // namespace anel

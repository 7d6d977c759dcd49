// Printing: the values inside inputs and actions.
#include "tests/traces/terms.hpp"

namespace anel::traces {

namespace {

template <class Values, class Make>
Term list_of(const Values& values, Make make) {
    std::vector<Term> items;
    for (const auto& value : values) items.push_back(make(value));
    return Term::list(std::move(items));
}

Term term_of_change(const SessionChange& change) {
    Term term;
    term("client", change.client_id);
    if (change.session) {
        const auto& session = *change.session;
        term("instance", session.instance)("birth", session.birth);
        if (session.inherited.value > 0) term("inherited", session.inherited);
        term("last", session.last);
        term("sequence", session.sequence)("round", session.round)("wall", session.wall_us);
    } else {
        term.flag("retired", true);
    }
    if (!change.each.empty()) {
        term("each", list_of(change.each, [](Sequence sequence) { return Term{std::to_string(sequence.value)}; }));
    }
    return term;
}

Term term_of_entries(const Bid& bid) {
    // The frames stand one behind another in the chunks; none crosses a border.
    std::vector<Term> entries;
    std::size_t chunk = 0;
    std::size_t offset = 0;
    for (const auto& entry : bid.entries) {
        if (bid.is_away()) {
            entries.push_back(Term{}("birth", entry.birth)("bytes", std::uint64_t{entry.bytes}));
            continue;
        }
        while (chunk < bid.chunks.size() && offset >= bid.chunks[chunk].size()) {
            ++chunk;
            offset = 0;
        }
        if (chunk == bid.chunks.size()) break;
        Term term;
        term("birth", entry.birth)("frame", term_of_frame(bid.chunks[chunk].bytes().subspan(offset, entry.bytes)));
        entries.push_back(std::move(term));
        offset += entry.bytes;
    }
    return Term::list(std::move(entries));
}

Term term_of_bid(const Bid& bid) {
    Term term;
    term("node", bid.node)("entries", term_of_entries(bid));
    if (bid.placed) term("placed", Term{}("bytes", bid.placed->bytes)("hash", bid.placed->hash));
    return term;
}

Term term_of_votes(std::uint64_t votes) {
    std::vector<Term> items;
    for (std::uint64_t node = 0; node < 64; ++node) {
        if ((votes >> node & 1U) != 0) items.push_back(Term{std::to_string(node)});
    }
    return Term::list(std::move(items));
}

Term term_of_token(const Token& token) {
    Term term{"token"};
    term("epoch", token.epoch)("hop", token.hop);
    if (token.open) {
        Term open;
        open("opened", token.open->opened)("opener", token.open->opener)("votes", term_of_votes(token.open->votes));
        open.flag("full", token.open->full);
        if (!token.open->bids.empty()) open("bids", list_of(token.open->bids, term_of_bid));
        term("open", std::move(open));
    }
    if (!token.closed.empty()) {
        term("closed", list_of(token.closed, [](const ClosedRound& closed) {
                 Term each;
                 each("opened", closed.opened)("writer", closed.writer)("segment", closed.segment);
                 each.flag("disk_full", closed.disk_full);
                 if (closed.result) each("result", term_of(*closed.result));
                 each.flag("checkpoint", closed.checkpoint);
                 return each;
             }));
    }
    return term;
}

Term term_of_tip(const Tip& tip) {
    Term term;
    return term("segment", tip.segment)("epoch", tip.epoch)("round", tip.round)("sequence", tip.sequence)("wall",
                                                                                                          tip.wall_us);
}

Term term_of_link_end(std::string_view head, Epoch epoch, NodeId from, Incarnation incarnation) {
    return Term{std::string{head}}("epoch", epoch)("from", from)("incarnation", incarnation);
}

}  // namespace

std::string_view name_of(SuspectReason reason) {
    switch (reason) {
        case SuspectReason::link_dropped: return "link_dropped";
        case SuspectReason::token_overdue: return "token_overdue";
        case SuspectReason::join: return "join";
        case SuspectReason::leave: return "leave";
        case SuspectReason::fenced: return "fenced";
        case SuspectReason::link_failed: return "link_failed";
        case SuspectReason::start_overdue: return "start_overdue";
        case SuspectReason::bid_lost: return "bid_lost";
    }
    return "?";
}

Term term_of(const View& view) {
    Term term;
    term("epoch", view.epoch)("coordinator", view.coordinator)("segment", view.segment);
    return term("members", list_of(view.members, [](const Member& member) {
                    Term each;
                    return each("id", member.id)("incarnation", member.incarnation)("link", member.link_address);
                }));
}

Term term_of(const RoundResult& result) {
    Term term;
    term("segment", result.segment)("round", result.round)("first", result.first)("count", result.count);
    term("wall", result.wall_us)("bytes", result.output_bytes);
    return term("changes", list_of(result.changes, term_of_change));
}

Term term_of(const RoundRecord& record) {
    Term term;
    term("round", record.round)("first", record.first)("count", record.count)("wall", record.wall_us);
    return term("text", record.text)("changes", list_of(record.changes, term_of_change));
}

Term term_of(const History& history) {
    Term term;
    term("tip", term_of_tip(history.tip));
    if (history.snapshot) {
        Term snapshot;
        snapshot("round", history.snapshot->round)("sequence", history.snapshot->sequence);
        snapshot("wall", history.snapshot->wall_us);
        snapshot("sessions", list_of(history.snapshot->sessions, [](const auto& each) {
                     return term_of_change({each.first, each.second, {}});
                 }));
        term("snapshot", std::move(snapshot));
    }
    if (!history.rounds.empty()) {
        term("rounds", list_of(history.rounds, [](const RoundResult& result) { return term_of(result); }));
    }
    return term;
}

Term term_of(const Connection& connection) {
    return Term{(connection.delimiter ? "req:" : "") + connection.routing_id};
}

Term term_of(const Control& message) {
    return std::visit(Overloaded{
                          [](const Call& call) {
                              return Term{"call"}("call", call.call)("ledger", call.ledger)("highest", call.highest)
                                  .flag("disk_full", call.disk_full);
                          },
                          [](const Answer& answer) {
                              return Term{"answer"}("call", answer.call)("highest", answer.highest)(
                                  "link", answer.link_address);
                          },
                          [](const Content& content) {
                              return Term{"content"}("epoch", content.epoch)("coordinator", content.coordinator);
                          },
                          [](const Join& join) { return Term{"join"}("highest", join.highest); },
                          [](const ViewTold& told) { return Term{"view"}("view", term_of(told.view)); },
                          [](const Ready& ready) { return Term{"ready"}("epoch", ready.epoch); },
                          [](const Suspect& suspect) {
                              return Term{"suspect"}("epoch", suspect.epoch)(
                                  "reason", Term{std::string{name_of(suspect.reason)}})("about", suspect.about);
                          },
                          [](const Wake& wake) {
                              Term term{"wake"};
                              term("epoch", wake.epoch);
                              if (wake.entries.empty()) return term;
                              return term("entries", term_of_entries({{}, wake.entries, {wake.frames}}));
                          },
                          [](const WakeAck& ack) { return Term{"wake_ack"}("epoch", ack.epoch); },
                          [](const DurableNotice& notice) { return Term{"durable"}("round", notice.round); },
                      },
                      message);
}

Term term_of(const LinkMessage& message) {
    return std::visit(Overloaded{
                          [](const LinkHello& hello) {
                              return term_of_link_end("hello", hello.epoch, hello.from, hello.incarnation);
                          },
                          [](const LinkWelcome& welcome) {
                              return term_of_link_end("welcome", welcome.epoch, welcome.from, welcome.incarnation);
                          },
                          [](const HopAck& ack) { return Term{"hop_ack"}("epoch", ack.epoch)("hop", ack.hop); },
                          [](const Token& token) { return term_of_token(token); },
                      },
                      message);
}

Term term_of_frame(BytesView frame) {
    const auto raw = [&](std::string_view head) { return Term{std::string{head}}("bytes", as_text(frame)); };
    if (is_plain_text(frame)) return raw("text");
    const limits::ClientLimits wide{1U << 30U, 1U << 30U, 1U << 30U};
    const auto request = decode_request(frame, wide);
    if (!request) return raw("raw");
    return std::visit(
        Overloaded{
            [](const HelloRequest& hello) {
                Term term{"hello"};
                term("client", hello.client_id)("instance", hello.instance)("sent", hello.sent);
                if (hello.birth.value != 0) term("birth", hello.birth);
                return term;
            },
            [](const PushRequest& push) {
                Term term{"push"};
                term("client", push.client_id)("instance", push.instance)("first", push.first);
                std::vector<Term> messages;
                for (MessageReader reader{push}; reader.more();) {
                    const auto message = reader.next();
                    Term each;
                    messages.push_back(each("at", message.timestamp)("text", message.payload));
                }
                return term("messages", Term::list(std::move(messages)));
            },
            [](const ByeRequest& bye) { return Term{"bye"}("client", bye.client_id)("instance", bye.instance); },
            [](const StatusRequest&) { return Term{"status"}; },
        },
        *request);
}

Term term_of(const ClientReply& reply) {
    return std::visit(
        Overloaded{
            [](const Welcome& welcome) {
                return Term{"welcome"}("client", welcome.client_id)("last", welcome.last)("node", welcome.node)(
                    "birth", welcome.birth);
            },
            [](const Ack& ack) {
                return Term{"ack"}("client", ack.client_id)("last", ack.last)("sequence", ack.sequence)("round",
                                                                                                        ack.round);
            },
            [](const Busy& busy) {
                return Term{"busy"}("client", busy.client_id)("first", busy.first)("retry_ms", busy.retry_after_ms);
            },
            [](const Reject& reject) {
                return Term{"reject"}("client", reject.client_id)("sequence", reject.sequence)(
                    "code", Term{std::string{anel::name_of(reject.code)}})("text", reject.text);
            },
            [](const Byed& byed) { return Term{"byed"}("client", byed.client_id); },
            [](const TextOk& ok) { return Term{"ok"}("sequence", ok.sequence); },
            [](const TextError& error) {
                return Term{"err"}("code", Term{std::string{anel::name_of(error.code)}})("text", error.text);
            },
            [](const StatusReply& status) { return Term{"status"}("json", status.json); },
        },
        reply);
}

}  // namespace anel::traces

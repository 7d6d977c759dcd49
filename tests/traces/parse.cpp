// Parsing: what can be put into a node.
#include <fmt/format.h>

#include "tests/traces/terms.hpp"

namespace anel::traces {

namespace {

SessionChange change_of(const Term& term) {
    SessionChange change{term.text("client"), std::nullopt, {}};
    if (!term.has("retired")) {
        Session session{};
        session.instance = {term.number("instance")};
        session.birth = {term.number("birth")};
        session.inherited = {term.number("inherited")};
        session.last = {term.number("last")};
        session.sequence = {term.number("sequence")};
        session.round = {term.number("round")};
        session.wall_us = term.integer("wall");
        change.session = session;
    }
    for (const auto& each : term.items("each")) change.each.push_back({each.as_number()});
    return change;
}

RoundResult result_of(const Term& term) {
    RoundResult result;
    result.segment = {term.number("segment")};
    result.round = {term.number("round")};
    result.first = {term.number("first")};
    result.count = term.number("count");
    result.wall_us = term.integer("wall");
    result.output_bytes = term.number("bytes");
    for (const auto& change : term.items("changes")) result.changes.push_back(change_of(change));
    return result;
}

RoundRecord record_of(const Term& term) {
    RoundRecord record{.round = {term.number("round")},
                       .first = {term.number("first")},
                       .count = term.number("count"),
                       .wall_us = term.integer("wall"),
                       .text = term.text("text"),
                       .changes = {}};
    for (const auto& change : term.items("changes")) record.changes.push_back(change_of(change));
    return record;
}

Bid bid_of(const Term& term) {
    Bid bid{{term.number("node")}, {}, {}};
    Bytes frames;
    for (const auto& entry : term.items("entries")) {
        if (entry.has("bytes")) {
            bid.entries.push_back({{entry.number("birth")}, static_cast<std::uint32_t>(entry.number("bytes"))});
            continue;
        }
        const auto frame = frame_of(entry.at("frame"));
        bid.entries.push_back({{entry.number("birth")}, static_cast<std::uint32_t>(frame.size())});
        frames.insert(frames.end(), frame.begin(), frame.end());
    }
    if (!frames.empty()) bid.chunks.push_back(Blob::of(std::move(frames)));
    if (term.has("placed")) {
        bid.placed = PlacedBytes{term.at("placed").number("bytes"), term.at("placed").number("hash")};
    }
    return bid;
}

Token token_of(const Term& term) {
    Token token{{term.number("epoch")}, {term.number("hop")}, std::nullopt, {}};
    if (term.has("open")) {
        const auto& open = term.at("open");
        token.open = OpenRound{{open.number("opened")}, {open.number("opener")}, 0, open.has("full"), {}};
        for (const auto& vote : open.items("votes")) token.open->votes |= std::uint64_t{1} << vote.as_number();
        for (const auto& bid : open.items("bids")) token.open->bids.push_back(bid_of(bid));
    }
    for (const auto& each : term.items("closed")) {
        ClosedRound closed{{each.number("opened")},
                           {each.number("writer")},
                           {each.number("segment")},
                           each.has("disk_full"),
                           std::nullopt};
        if (each.has("result")) closed.result = result_of(each.at("result"));
        closed.checkpoint = each.has("checkpoint");
        token.closed.push_back(std::move(closed));
    }
    return token;
}

View view_of(const Term& term) {
    View view{{term.number("epoch")}, {term.number("coordinator")}, {term.number("segment")}, {}};
    for (const auto& member : term.items("members")) {
        view.members.push_back({{member.number("id")}, {member.number("incarnation")}, member.text("link")});
    }
    return view;
}

Connection connection_of(std::string text) {
    constexpr std::string_view req = "req:";
    const bool delimiter = text.starts_with(req);
    if (delimiter) text.erase(0, req.size());
    return {std::move(text), delimiter};
}

[[noreturn]] void unknown(std::string_view what, const Term& term) {
    throw BadTrace{fmt::format("unknown {}: {}", what, term.print())};
}

}  // namespace

SuspectReason reason_named(std::string_view name) {
    for (const auto reason :
         {SuspectReason::link_dropped, SuspectReason::token_overdue, SuspectReason::join, SuspectReason::leave,
          SuspectReason::fenced, SuspectReason::link_failed, SuspectReason::start_overdue, SuspectReason::bid_lost}) {
        if (name_of(reason) == name) return reason;
    }
    throw BadTrace{fmt::format("unknown reason: {}", name)};
}

Control control_of(const Term& term) {
    const auto& kind = term.head();
    const Epoch epoch{term.number("epoch")};
    const Epoch highest{term.number("highest")};
    if (kind == "call") return Call{{term.number("call")}, {term.number("ledger")}, highest, term.has("disk_full")};
    if (kind == "answer") return Answer{{term.number("call")}, highest, term.text("link")};
    if (kind == "content") return Content{epoch, {term.number("coordinator")}};
    if (kind == "join") return Join{highest};
    if (kind == "view") return ViewTold{view_of(term.at("view"))};
    if (kind == "ready") return Ready{epoch};
    if (kind == "suspect") return Suspect{epoch, reason_named(term.text("reason")), {term.number("about")}};
    if (kind == "wake") {
        auto bid = bid_of(term);
        return Wake{epoch, std::move(bid.entries), bid.chunks.empty() ? Blob{} : bid.chunks.front()};
    }
    if (kind == "wake_ack") return WakeAck{epoch};
    if (kind == "durable") return DurableNotice{{term.number("round")}};
    unknown("control message", term);
}

LinkMessage link_message_of(const Term& term) {
    const auto& kind = term.head();
    const Epoch epoch{term.number("epoch")};
    const NodeId from{term.number("from")};
    const Incarnation incarnation{term.number("incarnation")};
    if (kind == "hello") return LinkHello{epoch, from, incarnation};
    if (kind == "welcome") return LinkWelcome{epoch, from, incarnation};
    if (kind == "hop_ack") return HopAck{epoch, {term.number("hop")}};
    if (kind == "token") return token_of(term);
    unknown("link message", term);
}

History history_of(const Term& term) {
    History history;
    if (term.has("snapshot")) {
        const auto& from = term.at("snapshot");
        Snapshot snapshot{{from.number("round")}, {from.number("sequence")}, from.integer("wall"), {}};
        for (const auto& each : from.items("sessions")) {
            auto change = change_of(each);
            snapshot.sessions.emplace_back(std::move(change.client_id), *change.session);
        }
        history.snapshot = std::move(snapshot);
    }
    for (const auto& round : term.items("rounds")) history.rounds.push_back(result_of(round));
    if (term.has("tip")) {
        const auto& tip = term.at("tip");
        history.tip = {{tip.number("segment")},
                       {tip.number("epoch")},
                       {tip.number("round")},
                       {tip.number("sequence")},
                       tip.integer("wall")};
    }
    return history;
}

Bytes frame_of(const Term& term) {
    const auto& kind = term.head();
    const auto client = term.text("client");
    const Instance instance{term.number("instance")};
    if (kind == "hello") {
        return encode(HelloRequest{client, instance, {term.number("sent")}, {term.number("birth")}});
    }
    if (kind == "bye") return encode(ByeRequest{client, instance});
    if (kind == "status") return encode(StatusRequest{});
    if (kind == "push") {
        std::vector<std::string> payloads;
        for (const auto& each : term.items("messages")) payloads.push_back(each.text("text"));
        std::vector<Message> messages;
        for (std::size_t index = 0; index < payloads.size(); ++index) {
            messages.push_back({term.items("messages")[index].integer("at"), payloads[index]});
        }
        return encode_push(client, instance, {term.number("first")}, messages);
    }
    if (kind == "text" || kind == "raw") {
        const auto bytes = term.text("bytes");
        const auto view = as_bytes(bytes);
        return {view.begin(), view.end()};
    }
    unknown("client frame", term);
}

Input input_of(const Term& term) {
    const auto& kind = term.head();
    if (kind == "tick") return Ticked{};
    if (kind == "control") {
        return ControlArrived{
            {term.number("from")}, {term.number("incarnation")}, control_of(term.at("message")), {term.number("word")}};
    }
    if (kind == "bound") return LinkBound{{term.number("link")}, term.text("address")};
    if (kind == "link") return LinkArrived{{term.number("link")}, link_message_of(term.at("message"))};
    if (kind == "dropped") return LinkDropped{{term.number("link")}};
    if (kind == "client") {
        return ClientArrived{connection_of(term.text("from")), Blob::of(frame_of(term.at("frame")))};
    }
    if (kind == "leave") return LeaveAsked{};
    if (kind == "durable") return BecameDurable{{term.number("round")}};
    if (kind == "granted") {
        return Granted{{{term.number("epoch")}, {term.number("segment")}}, history_of(term.at("history"))};
    }
    if (kind == "grant_refused") return GrantRefused{{term.number("newest")}, term.has("disk_full")};
    if (kind == "caught_up") return CaughtUp{history_of(term.at("history"))};
    if (kind == "decided") return RoundDecided{};
    if (kind == "refused") {
        return RoundRefused{term.text("why") == "disk_full" ? DecideRefusal::disk_full : DecideRefusal::fenced};
    }
    if (kind == "output_full") return OutputFull{record_of(term.at("record"))};
    if (kind == "written") return OutputWritten{};
    if (kind == "rotated") return Rotated{{term.number("segment")}};
    if (kind == "rotation_fenced") return RotationFenced{};
    if (kind == "words") {
        return WordsRead{{term.number("segment")},
                         {term.has("sealed"), {term.number("decided")}, {term.number("durable")}}};
    }
    unknown("input", term);
}

}  // namespace anel::traces

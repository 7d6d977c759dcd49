// Printing: inputs and actions.
#include "tests/traces/print.hpp"

#include "tests/traces/terms.hpp"

namespace anel::traces {

Term term_of(const Input& input) {
    return std::visit(
        Overloaded{
            [](const Ticked&) { return Term{"tick"}; },
            [](const ControlArrived& arrived) {
                Term term{"control"};
                term("from", arrived.from)("incarnation", arrived.incarnation)("message", term_of(arrived.message));
                if (arrived.call_word.value != 0) term("word", arrived.call_word);
                return term;
            },
            [](const LinkBound& bound) { return Term{"bound"}("link", bound.link)("address", bound.address); },
            [](const LinkArrived& arrived) {
                return Term{"link"}("link", arrived.link)("message", term_of(arrived.message));
            },
            [](const LinkDropped& dropped) { return Term{"dropped"}("link", dropped.link); },
            [](const ClientArrived& arrived) {
                return Term{"client"}("from", term_of(arrived.connection))("frame",
                                                                           term_of_frame(arrived.frame.bytes()));
            },
            [](const LeaveAsked&) { return Term{"leave"}; },
            [](const BecameDurable& durable) { return Term{"durable"}("round", durable.round); },
            [](const Granted& granted) {
                return Term{"granted"}("epoch", granted.grant.epoch)("segment", granted.grant.segment)(
                    "history", term_of(granted.history));
            },
            [](const GrantRefused& refused) {
                return Term{"grant_refused"}("newest", refused.newest).flag("disk_full", refused.disk_full);
            },
            [](const CaughtUp& caught_up) { return Term{"caught_up"}("history", term_of(caught_up.history)); },
            [](const RoundDecided&) { return Term{"decided"}; },
            [](const RoundRefused& refused) {
                return Term{"refused"}("why", Term{refused.why == DecideRefusal::fenced ? "fenced" : "disk_full"});
            },
            [](const OutputFull& full) { return Term{"output_full"}("record", term_of(full.record)); },
            [](const OutputWritten&) { return Term{"written"}; },
            [](const Rotated& rotated) { return Term{"rotated"}("segment", rotated.segment); },
            [](const RotationFenced&) { return Term{"rotation_fenced"}; },
            [](const WordsRead& read) {
                return Term{"words"}("segment", read.segment)
                    .flag("sealed", read.words.sealed)("decided", read.words.decided)("durable", read.words.durable);
            },
        },
        input);
}

Term term_of(const Action& action) {
    return std::visit(
        Overloaded{
            [](const SendControl& send) { return Term{"send"}("to", send.to)("message", term_of(send.message)); },
            [](const BindLink& bind) { return Term{"bind"}("link", bind.link); },
            [](const ConnectLink& connect) {
                return Term{"connect"}("link", connect.link)("address", connect.address);
            },
            [](const CloseLink& close) { return Term{"close"}("link", close.link); },
            [](const SendLink& send) {
                Term term{"send_link"};
                term("link", send.link)("message", term_of(send.message)).flag("place_bid", send.place_bid);
                return term;
            },
            [](const ReplyClient& reply) {
                return Term{"reply"}("to", term_of(reply.connection))("reply", term_of(reply.reply));
            },
            [](const SetCallWord& set) { return Term{"set_call_word"}("call", set.call); },
            [](const AskGrant& ask) { return Term{"ask_grant"}("highest", ask.highest_named)("applied", ask.applied); },
            [](const CatchUp& catch_up) { return Term{"catch_up"}("applied", catch_up.applied); },
            [](const DecideRound& decide) {
                return Term{"decide"}("segment", decide.segment)("record", term_of(decide.record));
            },
            [](const WriteOutput& write) { return Term{"write_output"}("round", write.round); },
            [](const MakeDurable& make) { return Term{"make_durable"}("segment", make.segment)("round", make.round); },
            [](const RotateSegment& rotate) {
                auto term = Term{"rotate"}("current", rotate.current)("last", rotate.last);
                return rotate.new_output ? term("new_output", *rotate.new_output) : term;
            },
            [](const WriteCheckpoint&) { return Term{"write_checkpoint"}; },
            [](const ReadWords& read) { return Term{"read_words"}("segment", read.segment); },
            [](const Stop&) { return Term{"stop"}; },
        },
        action);
}

}  // namespace anel::traces

namespace anel {

std::string print(const Input& input) { return traces::term_of(input).print(); }
std::string print(const Action& action) { return traces::term_of(action).print(); }

}  // namespace anel

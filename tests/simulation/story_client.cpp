#include "tests/simulation/story_client.hpp"

#include <fmt/format.h>

namespace anel::simulation {

void StoryClient::meet(NodeId node) {
    if (line_) mail_.close(*line_);
    node_ = node;
    welcomed_ = false;
    const auto line = std::make_shared<LineNumber>();
    *line = mail_.open(node, [this, line](const ClientReply& reply) { heard(*line, reply); });
    line_ = *line;
    world_.tell([&] { return fmt::format("client {} meets node {} on line {}", id_, node_.value, *line_); });
    HelloRequest hello;
    hello.client_id = id_;
    hello.instance = instance_;
    hello.sent = sent_;
    world_.tell([&] { return fmt::format("client {} -> hello sent={}", id_, sent_.value); });
    mail_.send(*line_, Blob::of(encode(hello)));
}

void StoryClient::say(const std::string& payload) {
    outbox_.push_back(payload);
    if (welcomed_) push(payload, {acked_.value + outbox_.size()});
}

void StoryClient::push(const std::string& payload, ClientSequence sequence) {
    PushedMessage message;
    message.client_id = id_;
    message.instance = instance_;
    message.sequence = sequence;
    judge_.pushed(payload, message, node_);
    sent_ = std::max(sent_, sequence);
    world_.tell([&] { return fmt::format("client {} -> push first={} text=\"{}\"", id_, sequence.value, payload); });
    mail_.send(*line_, Blob::of(encode_push(id_, instance_, sequence, {{0, payload}})));
}

void StoryClient::heard(LineNumber line, const ClientReply& reply) {
    if (line != line_) return;
    std::visit([this](const auto& each) { on(each); }, reply);
}

void StoryClient::on(const Welcome& welcome) {
    world_.tell([&] { return fmt::format("client {} <- welcome last={}", id_, welcome.last.value); });
    while (acked_ < welcome.last && !outbox_.empty()) {
        outbox_.pop_front();
        acked_ = acked_.next();
    }
    welcomed_ = true;
    auto sequence = acked_;
    for (const auto& payload : outbox_) push(payload, sequence = sequence.next());
}

void StoryClient::on(const Ack& ack) {
    world_.tell([&] {
        return fmt::format("client {} <- ack last={} sequence={} round={}", id_, ack.last.value, ack.sequence.value,
                           ack.round.value);
    });
    while (acked_ < ack.last && !outbox_.empty()) {
        judge_.acked(outbox_.front());
        outbox_.pop_front();
        acked_ = acked_.next();
    }
}

}  // namespace anel::simulation

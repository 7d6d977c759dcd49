#include "tests/simulation/client.hpp"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "tests/simulation/payloads.hpp"

namespace anel::simulation {

using namespace std::chrono_literals;

void Client::start() {
    left_ = world_.plan.messages_each;
    new_instance();
    tick();
}

void Client::begin_again(std::string id) {
    id_ = std::move(id);
    name_ = id_;
    start();
}

void Client::new_instance() {
    instance_ = {world_.random.number() | 1U};
    sent_ = {};
    acked_ = {};
    birth_ = {};
    cursor_ = 0;
    history_.clear();
    connect();
}

void Client::crash() {
    world_.strike(Fault::client_killed);
    if (world_.random.chance(world_.plan.outbox_lost)) {
        world_.strike(Fault::outbox_lost);
        world_.tell([&] { return fmt::format("client {} loses its outbox", id_); });
        outbox_.clear();
        new_instance();
    } else {
        connect();
    }
}

void Client::fail_over() {
    if (cursor_ == 0) return;
    world_.strike(Fault::failover_in_batch);
    connect();
}

void Client::vanish() {
    left_ = 0;
    outbox_.clear();
    if (line_) mail_.close(*line_);
    line_.reset();
    welcomed_ = true;
    leaving_ = false;
    cursor_ = 0;
}

void Client::hurry() { left_ += 2; }

void Client::connect() {
    if (line_) mail_.close(*line_);
    node_ = {world_.random.below(world_.plan.nodes)};
    const auto line = std::make_shared<LineNumber>();
    *line = mail_.open(node_, [this, line](const ClientReply& reply) { heard(*line, reply); });
    line_ = *line;
    hello();
}

void Client::hello() {
    welcomed_ = false;
    leaving_ = false;
    cursor_ = 0;
    world_.tell([&] {
        return fmt::format("client {} -> node {} hello sent={} birth={}", id_, node_.value, sent_.value,
                           birth_to_name().value);
    });
    const auto frame = Blob::of(encode(HelloRequest{id_, instance_, sent_, birth_to_name()}));
    mail_.send(*line_, frame);
    // The same was said to a node that is frozen, and given up there.
    if (world_.fault(world_.plan.hello_sleeps)) mail_.sleep({world_.random.below(world_.plan.nodes)}, frame);
    wait_for(200ms, 1500ms);
}

void Client::wait_for(Duration at_least, Duration at_most) {
    patience_until_ = world_.now() + world_.random.between(at_least, at_most);
}

void Client::tick() {
    make_messages();
    const bool owed = !welcomed_ || leaving_ || cursor_ > 0;
    if (world_.now() >= quiet_until_) {
        if (owed && world_.now() >= patience_until_) lose_patience();
        else if (welcomed_ && !leaving_) push_some();
    }
    ticking_ = !done() || world_.faults || leaving_;
    if (!ticking_) return;  // nothing more will ever come
    world_.events.after(world_.random.between(1ms, 30ms), [this] { tick(); });
}

void Client::make_messages() {
    if (left_ == 0) return;
    // Spread over the fault phase; at once when it is over.
    const auto ticks = static_cast<double>(world_.plan.fault_phase.count()) / 15'500.0;
    const auto per_tick = static_cast<double>(world_.plan.messages_each) / ticks;
    auto count =
        static_cast<std::uint64_t>(per_tick) + (world_.random.chance(per_tick - std::floor(per_tick)) ? 1U : 0U);
    if (!world_.faults) count = left_;
    for (; count > 0 && left_ > 0; --count, --left_) {
        auto payload = nasty_payload(world_.random, fmt::format("{}/{}", name_, ++made_));
        // Clocks of clients are coarse and wrong, so that ties and steps back happen.
        const auto time = static_cast<Timestamp>(world_.random.below(20));
        outbox_.push_back({ClientSequence{}, time, std::move(payload)});
    }
    number_new();
}

/// The first number of a new instance is known only from its welcome.
void Client::number_new() {
    if (!welcomed_ && sent_.value == 0) return;
    auto next = acked_.next();
    for (auto& item : outbox_) {
        item.sequence = next;
        next = next.next();
    }
}

void Client::push_some() {
    const std::size_t window = 1 + world_.random.below(30);
    while (cursor_ < outbox_.size() && cursor_ < window) {
        const auto count = std::min<std::size_t>(1 + world_.random.below(6), outbox_.size() - cursor_);
        if (cursor_ == 0) wait_for(200ms, 1500ms);
        push(outbox_, cursor_, count);
        cursor_ += count;
    }
    if (!history_.empty() && world_.fault(world_.plan.repeats)) push_acked_again();
    if (outbox_.empty() && sent_.value > 0 && world_.fault(world_.plan.bye)) {
        world_.count("byes");
        leaving_ = true;
        judge_.said_bye(id_, instance_);
        mail_.send(*line_, Blob::of(encode(ByeRequest{id_, instance_})));
        wait_for(200ms, 1500ms);
    }
}

void Client::push(const std::deque<Item>& items, std::size_t from, std::size_t count) {
    std::vector<Message> messages;
    for (std::size_t index = from; index < from + count; ++index) {
        const auto& item = items[index];
        messages.push_back({item.timestamp, item.payload});
        judge_.pushed(item.payload, {id_, instance_, item.sequence, item.timestamp, {}}, node_);
        sent_ = std::max(sent_, item.sequence);
    }
    world_.count("pushes");
    mail_.send(*line_, Blob::of(encode_push(id_, instance_, items[from].sequence, messages)));
}

void Client::push_acked_again() {
    world_.strike(Fault::acked_pushed_again);
    const auto from = world_.random.below(history_.size());
    push(history_, from, std::min<std::size_t>(1 + world_.random.below(4), history_.size() - from));
}

void Client::lose_patience() {
    world_.count("client time-outs");
    // Without a birth to name it could be read when the session is over, and bring pushes behind it into another one.
    const bool hello_again = world_.random.chance(0.3) && sent_.value > 0;
    if (welcomed_ && !leaving_ && world_.random.chance(0.3)) {
        cursor_ = 0;  // the same again on the same line
        push_some();
    } else if (hello_again) {
        hello();
    } else {
        connect();
    }
}

void Client::heard(LineNumber line, const ClientReply& reply) {
    if (line != line_) return;
    // What goes over the wire is what encode makes of it.
    const auto decoded = decode_reply(encode(reply));
    if (!decoded || *decoded != reply) throw Violation{"a reply does not survive its codec"};
    std::visit([this](const auto& each) { on(each); }, reply);
}

void Client::on(const Welcome& welcome) {
    if (welcome.client_id != id_ || welcome.node != node_) throw Violation{"a welcome for another client or node"};
    if (sent_.value > 0 && welcome.birth != birth_) {
        throw Violation{fmt::format("S3: client {} pushed under the birth {} and is welcomed to {}", id_, birth_.value,
                                    welcome.birth.value)};
    }
    birth_ = welcome.birth;
    // What an instance that has sent nothing believes is what it inherited; that session may have retired since.
    if (sent_.value > 0 && (welcome.last < acked_ || welcome.last > sent_)) {
        throw Violation{fmt::format("S2: client {} is welcomed at {}, acked are {}, sent {}", id_, welcome.last.value,
                                    acked_.value, sent_.value)};
    }
    world_.tell([&] { return fmt::format("client {} <- node {} welcome {}", id_, node_.value, welcome.last.value); });
    welcomed_ = true;
    cursor_ = 0;
    if (sent_.value == 0) acked_ = welcome.last;
    number_new();
}

void Client::on(const Ack& ack) {
    if (ack.client_id != id_ || ack.last > sent_) throw Violation{fmt::format("{}: an ack of what was not sent", id_)};
    const auto of = [&](const std::deque<Item>& items) {
        for (const auto& item : items) {
            if (item.sequence == ack.last) judge_.acked_as(item.payload, ack);
        }
    };
    of(history_);
    of(outbox_);
    while (!outbox_.empty() && outbox_.front().sequence.value > 0 && outbox_.front().sequence <= ack.last) {
        judge_.acked(outbox_.front().payload);
        history_.push_back(std::move(outbox_.front()));
        if (history_.size() > 20) history_.pop_front();
        outbox_.pop_front();
        acked_ = acked_.next();
        if (cursor_ > 0) --cursor_;
        wait_for(200ms, 1500ms);
    }
}

void Client::on(const Busy& busy) {
    if (busy.client_id != id_) throw Violation{"a busy for another client"};
    cursor_ = 0;
    quiet_until_ = world_.now() + std::chrono::milliseconds{static_cast<std::int64_t>(busy.retry_after_ms)};
}

void Client::on(const Reject& reject) {
    world_.tell([&] { return fmt::format("client {} <- reject {} {}", id_, name_of(reject.code), reject.text); });
    quiet_until_ = world_.now() + world_.random.between(1ms, 100ms);
    switch (reject.code) {
        case RejectCode::too_large:
        case RejectCode::malformed:
            throw Violation{
                fmt::format("{}: a good request was refused: {} {}", id_, name_of(reject.code), reject.text)};
        case RejectCode::conflict:
        case RejectCode::session_retired:
            // What became of the messages is unknown to it; it gives them up and begins anew.
            world_.count("outboxes given up", outbox_.empty() ? 0 : 1);
            outbox_.clear();
            return new_instance();
        case RejectCode::gap:
        case RejectCode::hello_first: return hello();
        case RejectCode::busy:
        case RejectCode::no_quorum:
        case RejectCode::too_many_sessions:
        case RejectCode::shutting_down:
        case RejectCode::disk_full:
            if (world_.random.chance(0.5)) return connect();
            cursor_ = 0;
            patience_until_ = std::max(patience_until_, quiet_until_);
    }
}

void Client::on(const Byed& byed) {
    if (byed.client_id != id_) throw Violation{"a bye for another client"};
    if (!leaving_) return;
    judge_.byed(id_, instance_);
    world_.count("byes answered");
    new_instance();
}

std::string Client::describe() const {
    return fmt::format("client {} at node {}: {} unacked, acked {}, sent {}, welcomed {}, cursor {}, leaving {}", id_,
                       node_.value, outbox_.size(), acked_.value, sent_.value, welcomed_, cursor_, leaving_);
}

}  // namespace anel::simulation

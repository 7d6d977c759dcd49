#include "ring/daemon/ack_timer.hpp"

#include <functional>
#include <optional>

namespace anel {
namespace {

/// A sample so old gives way to another client's: whoever it was for is gone.
constexpr Duration sample_age_max = std::chrono::seconds{10};

std::uint64_t hash_of(std::string_view name) {
    return std::hash<std::string_view>{}(name) | 1U;  // never 0, which is a free place
}

struct PushHead {
    std::string_view client_id;
    std::uint64_t last = 0;
    std::uint32_t count = 0;
};
/// The core reads and judges the whole frame; what is wrong with one that has such a head shows there.
std::optional<PushHead> read_push_head(BytesView frame) {
    MsgpackReader reader{frame};
    if (reader.array() != 6 || reader.unsigned_integer() != client_protocol_version || reader.text() != "push") {
        return std::nullopt;
    }
    const auto client_id = reader.text();
    const auto instance = reader.unsigned_integer();
    const auto first = reader.unsigned_integer();
    const auto count = reader.array();
    if (!reader.ok() || *instance == 0 || *count == 0) return std::nullopt;
    return PushHead{*client_id, *first + *count - 1, *count};
}

}  // namespace

void AckTimer::arrived(const ClientArrived& arrived, Instant now, Histogram& batches) {
    const auto frame = arrived.frame.bytes();
    if (is_plain_text(frame)) {
        batches.observe(1);
        begin(hash_of(arrived.connection.routing_id), 0, now);
    } else if (const auto head = read_push_head(frame)) {
        batches.observe(head->count);
        begin(hash_of(head->client_id), head->last, now);
    }
}

void AckTimer::replied(const ReplyClient& reply, Instant now, Histogram& latencies) {
    std::visit(Overloaded{
                   [&](const Ack& ack) { end(hash_of(ack.client_id), ack.last.value, now, latencies); },
                   [&](const TextOk&) { end(hash_of(reply.connection.routing_id), 0, now, latencies); },
                   // What follows is another try, or another life of the client.
                   [&](const Welcome& welcome) { forget(hash_of(welcome.client_id)); },
                   [&](const Busy& busy) { forget(hash_of(busy.client_id)); },
                   [&](const Reject& reject) { forget(hash_of(reject.client_id)); },
                   [&](const TextError&) { forget(hash_of(reply.connection.routing_id)); },
                   [](const Byed&) {},
                   [](const StatusReply&) {},
               },
               reply.reply);
}

void AckTimer::begin(std::uint64_t who, std::uint64_t last, Instant now) {
    auto& sample = sample_of(who);
    if (sample.who == 0 || now - sample.since > sample_age_max) sample = {who, last, now};
}

void AckTimer::end(std::uint64_t who, std::uint64_t last, Instant now, Histogram& latencies) {
    auto& sample = sample_of(who);
    if (sample.who != who || last < sample.last) return;
    latencies.observe(static_cast<std::uint64_t>((now - sample.since).count()));
    sample = {};
}

void AckTimer::forget(std::uint64_t who) {
    auto& sample = sample_of(who);
    if (sample.who == who) sample = {};
}

}  // namespace anel

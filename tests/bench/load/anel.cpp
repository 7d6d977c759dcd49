// Anel from a plain socket: as many clients as wanted, each with a connection of its own, at the least cost. The bench of
// ten thousand clients needs it; everything else is measured with the client library.
//
// Speaks ZMTP 3.0 (rfc.zeromq.org/spec/23) with the NULL mechanism, as a DEALER.
#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

#include "common/client_protocol.hpp"
#include "tests/bench/load/conversation.hpp"

namespace anel::bench {
namespace {

constexpr std::size_t greeting_bytes = 64;
constexpr unsigned flag_long = 2;
constexpr unsigned flag_command = 4;

std::string greeting_text() {
    std::string text{"\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL", 16};
    text.resize(greeting_bytes, '\0');
    return text;
}

void append_frame(std::string& out, unsigned flags, std::string_view body) {
    const bool is_long = body.size() > 255;
    out.push_back(static_cast<char>(flags | (is_long ? flag_long : 0U)));
    for (int at = is_long ? 7 : 0; at >= 0; --at) out.push_back(static_cast<char>((body.size() >> (8 * at)) & 0xffU));
    out += body;
}

class AnelConversation : public Conversation {
public:
    AnelConversation(const Load& load, std::size_t client)
        : batch_{load.batch}, client_id_{fmt::format("load-{}-{}", ::getpid(), client)}, payload_(load.size, 'x') {}

    std::string greeting() override {
        auto out = greeting_text();
        append_frame(out, flag_command, std::string_view{"\5READY\13Socket-Type\0\0\0\6DEALER", 28});
        return out;
    }

    bool request(std::string& out) override {
        if (!welcome_) return false;
        const std::vector<Message> messages(batch_, Message{1, payload_});
        append_frame(out, 0, as_text(encode_push(client_id_, instance, sent_.next(), messages)));
        sent_.value += batch_;
        return true;
    }

    Taken take(std::string_view in, std::string& out) override {
        Taken taken;
        if (!greeted_) {
            if (in.size() < greeting_bytes) return taken;
            greeted_ = true;
            taken.bytes = greeting_bytes;
        }
        for (;;) {
            const auto rest = in.substr(taken.bytes);
            if (rest.empty()) return taken;
            const auto flags = static_cast<unsigned char>(rest[0]);
            const std::size_t head = (flags & flag_long) != 0 ? 9 : 2;
            if (rest.size() < head) return taken;
            std::size_t length = 0;
            for (const char byte : rest.substr(1, head - 1)) length = (length << 8U) | static_cast<unsigned char>(byte);
            if (rest.size() < head + length) return taken;
            const auto body = rest.substr(head, length);
            if ((flags & flag_command) != 0) on_command(body, out);
            else taken.acks += on_reply(body);
            taken.bytes += head + length;
        }
    }

private:
    static constexpr Instance instance{1};
    static constexpr std::size_t ttl_bytes = 2;

    void on_command(std::string_view body, std::string& out) {
        constexpr std::string_view ready{"\5READY"};
        constexpr std::string_view ping{"\4PING"};
        // Not before: libzmq takes whatever comes before its own READY is sent for a part of the handshake.
        if (body.starts_with(ready)) {
            append_frame(out, 0, as_text(encode(HelloRequest{client_id_, instance, ClientSequence{0}})));
        }
        if (!body.starts_with(ping)) return;
        append_frame(out, flag_command, "\4PONG" + std::string{body.substr(ping.size() + ttl_bytes)});
    }

    std::size_t on_reply(std::string_view frame) {
        const auto reply = decode_reply(as_bytes(frame));
        if (!reply) throw std::runtime_error{"an answer that cannot be read: " + reply.error().text};
        if (!*reply) return 0;
        if (std::holds_alternative<Welcome>(**reply)) welcome_ = true;
        if (const auto* reject = std::get_if<Reject>(&**reply)) throw std::runtime_error{"refused: " + reject->text};
        if (std::holds_alternative<Busy>(**reply)) throw std::runtime_error{"the node is busy"};
        const auto* ack = std::get_if<Ack>(&**reply);
        if (ack == nullptr || ack->last <= acked_) return 0;
        const auto batches = (ack->last.value - acked_.value) / batch_;
        acked_ = ack->last;
        return batches;
    }

    std::size_t batch_;
    std::string client_id_;
    std::string payload_;
    bool greeted_ = false;
    bool welcome_ = false;
    ClientSequence sent_;
    ClientSequence acked_;
};

}  // namespace

void run_anel(const Load& load) {
    run_conversations(
        load, [](const Load& one, std::size_t client) { return std::make_unique<AnelConversation>(one, client); });
}

}  // namespace anel::bench

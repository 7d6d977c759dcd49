// NATS JetStream: publishes to the subject of a stream that exists already; the stream's leader acks each message to an
// inbox of the client.
#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/bench/load/conversation.hpp"

namespace anel::bench {
namespace {

class NatsConversation : public Conversation {
public:
    NatsConversation(const Load& load, std::size_t client)
        : inbox_{fmt::format("_INBOX.{}.{}", ::getpid(), client)},
          command_{fmt::format("PUB bench {} {}\r\n{}\r\n", inbox_, load.size, std::string(load.size, 'x'))} {}

    std::string greeting() override {
        return fmt::format("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {} 1\r\n", inbox_);
    }
    bool request(std::string& out) override {
        out += command_;
        return true;
    }
    Taken take(std::string_view in, std::string& out) override {
        Taken taken;
        for (;;) {
            const auto rest = in.substr(taken.bytes);
            const auto head_end = rest.find("\r\n");
            if (head_end == std::string_view::npos) return taken;
            const auto head = rest.substr(0, head_end);
            auto whole = head_end + 2;
            if (head.starts_with("MSG ")) {
                const auto length = std::stoul(std::string{head.substr(head.rfind(' ') + 1)});
                if (rest.size() < whole + length + 2) return taken;
                check(rest.substr(whole, length));
                whole += length + 2;
                ++taken.acks;
            } else if (head == "PING") {
                out += "PONG\r\n";
            } else if (head.starts_with("-ERR")) {
                throw std::runtime_error{"nats says " + std::string{head}};
            }
            taken.bytes += whole;
        }
    }

private:
    static void check(std::string_view ack) {
        if (ack.find("\"error\"") != std::string_view::npos || ack.find("\"seq\"") == std::string_view::npos) {
            throw std::runtime_error{"the stream says " + std::string{ack}};
        }
    }

    std::string inbox_;
    std::string command_;
};

}  // namespace

void run_nats(const Load& load) {
    run_conversations(
        load, [](const Load& one, std::size_t client) { return std::make_unique<NatsConversation>(one, client); });
}

}  // namespace anel::bench

// Redis: one stream, XADD with an id that the server gives. The server says when the command is in its synced file.
#include <fmt/format.h>

#include <stdexcept>

#include "tests/bench/load/conversation.hpp"

namespace anel::bench {
namespace {

class RedisConversation : public Conversation {
public:
    explicit RedisConversation(const Load& load)
        : command_{fmt::format("*5\r\n$4\r\nXADD\r\n$3\r\nlog\r\n$1\r\n*\r\n$1\r\nm\r\n${}\r\n{}\r\n", load.size,
                               std::string(load.size, 'x'))} {}

    bool request(std::string& out) override {
        out += command_;
        return true;
    }
    /// Each answer is a bulk string with the new id: "$15\r\n1700000000000-0\r\n".
    Taken take(std::string_view in, std::string&) override {
        Taken taken;
        for (;;) {
            const auto rest = in.substr(taken.bytes);
            const auto head_end = rest.find("\r\n");
            if (head_end == std::string_view::npos) return taken;
            if (rest.front() != '$') throw std::runtime_error{"redis says " + std::string{rest.substr(0, head_end)}};
            const auto whole = head_end + 2 + std::stoul(std::string{rest.substr(1, head_end - 1)}) + 2;
            if (rest.size() < whole) return taken;
            taken.bytes += whole;
            ++taken.acks;
        }
    }

private:
    std::string command_;
};

}  // namespace

void run_redis(const Load& load) {
    run_conversations(load, [](const Load& one, std::size_t) { return std::make_unique<RedisConversation>(one); });
}

}  // namespace anel::bench

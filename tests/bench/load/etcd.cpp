// etcd: puts of fresh keys over gRPC, one a request or many in one transaction. The few frames of HTTP/2 that this
// takes are written by hand: etcd's JSON gateway and a whole gRPC library would both cost more than the request itself.
#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>
#include <unordered_set>

#include "tests/bench/load/conversation.hpp"

namespace anel::bench {
namespace {

// RFC 9113, section 6.
enum FrameType : unsigned { data = 0, headers = 1, reset = 3, settings = 4, ping = 6, go_away = 7, window_update = 8 };
constexpr unsigned flag_end_stream = 1;
constexpr unsigned flag_ack = 1;
constexpr unsigned flag_end_headers = 4;
constexpr std::size_t frame_head_bytes = 9;
constexpr std::int64_t initial_window = 65'535;
constexpr std::size_t frame_bytes_max = 16'384;

std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int at = bytes - 1; at >= 0; --at) text.push_back(static_cast<char>((value >> (8 * at)) & 0xffU));
    return text;
}

std::uint32_t read_big_endian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char byte : bytes) value = (value << 8U) | static_cast<unsigned char>(byte);
    return value;
}

void append_frame(std::string& out, FrameType type, unsigned flags, std::uint32_t stream, std::string_view payload) {
    out += big_endian(payload.size(), 3) + big_endian(type, 1) + big_endian(flags, 1) + big_endian(stream, 4);
    out += payload;
}

/// HPACK's "literal without indexing, new name", short strings as they are.
std::string header_field(std::string_view name, std::string_view value) {
    return fmt::format("{}{}{}{}{}", '\0', static_cast<char>(name.size()), name, static_cast<char>(value.size()),
                       value);
}

/// A field of protobuf's wire format with a length: strings, bytes and messages.
std::string proto_field(unsigned number, std::string_view value) {
    std::string text(1, static_cast<char>(number << 3U | 2U));
    auto length = value.size();
    for (; length >= 0x80; length >>= 7U) text.push_back(static_cast<char>(length | 0x80U));
    text.push_back(static_cast<char>(length));
    return text + std::string{value};
}

class EtcdConversation : public Conversation {
public:
    EtcdConversation(const Load& load, std::size_t client)
        : batch_{load.batch},
          key_prefix_{fmt::format("{}/{}/", ::getpid(), client)},
          value_(load.size, 'x'),
          headers_{header_field(":method", "POST") + header_field(":scheme", "http") +
                   header_field(":path", load.batch > 1 ? "/etcdserverpb.KV/Txn" : "/etcdserverpb.KV/Put") +
                   header_field(":authority", "localhost") + header_field("content-type", "application/grpc") +
                   header_field("te", "trailers")} {}

    std::string greeting() override {
        std::string out = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        append_frame(out, settings, 0, 0, {});
        // Answers are small: this window is never used up, so none has to be given back.
        append_frame(out, window_update, 0, 0, big_endian(0x7fffffff - initial_window, 4));
        return out;
    }

    bool request(std::string& out) override {
        const auto put = body();
        if (put.size() > frame_bytes_max) throw std::runtime_error{"a request does not fit into one frame of 16 KiB"};
        if (static_cast<std::int64_t>(put.size()) > send_window_) return false;
        send_window_ -= static_cast<std::int64_t>(put.size());
        append_frame(out, headers, flag_end_headers, stream_, headers_);
        append_frame(out, data, flag_end_stream, stream_, put);
        stream_ += 2;
        sequence_ += batch_;
        return true;
    }

    Taken take(std::string_view in, std::string& out) override {
        Taken taken;
        for (;;) {
            const auto rest = in.substr(taken.bytes);
            if (rest.size() < frame_head_bytes) return taken;
            const auto length = read_big_endian(rest.substr(0, 3));
            if (rest.size() < frame_head_bytes + length) return taken;
            const auto type = static_cast<FrameType>(rest[3]);
            const auto flags = static_cast<unsigned char>(rest[4]);
            taken.acks +=
                on_frame(type, flags, read_big_endian(rest.substr(5, 4)), rest.substr(frame_head_bytes, length), out);
            taken.bytes += frame_head_bytes + length;
        }
    }

private:
    /// @return how many requests it answers
    std::size_t on_frame(FrameType type, unsigned flags, std::uint32_t stream, std::string_view payload,
                         std::string& out) {
        switch (type) {
            case data: answered_.insert(stream); return 0;
            case headers:
                if ((flags & flag_end_stream) == 0) return 0;
                // gRPC sends a refusal as headers alone, without a message before.
                if (answered_.erase(stream) == 0) throw std::runtime_error{"etcd refused a request"};
                return 1;
            case settings:
                if ((flags & flag_ack) == 0) append_frame(out, settings, flag_ack, 0, {});
                return 0;
            case ping:
                if ((flags & flag_ack) == 0) append_frame(out, ping, flag_ack, 0, payload);
                return 0;
            case window_update:
                if (stream == 0) send_window_ += read_big_endian(payload);
                return 0;
            case reset:
            case go_away: throw std::runtime_error{"etcd ended a stream or the connection"};
        }
        return 0;  // a frame that a client may pass over
    }

    /// PutRequest {key = 1, value = 2}; TxnRequest {success = 2 {request_put = 2}}. Each behind gRPC's five bytes.
    [[nodiscard]] std::string body() const {
        std::string message;
        for (std::size_t at = 0; at < batch_; ++at) {
            const auto put =
                proto_field(1, fmt::format("{}{:012}", key_prefix_, sequence_ + at)) + proto_field(2, value_);
            message += batch_ > 1 ? proto_field(2, proto_field(2, put)) : put;
        }
        return std::string(1, '\0') + big_endian(message.size(), 4) + message;
    }

    std::size_t batch_;
    std::string key_prefix_;
    std::string value_;
    std::string headers_;
    std::uint32_t stream_ = 1;
    std::uint64_t sequence_ = 0;
    std::int64_t send_window_ = initial_window;
    std::unordered_set<std::uint32_t> answered_;  ///< streams that got a message and not yet their end
};

}  // namespace

void run_etcd(const Load& load) {
    run_conversations(
        load, [](const Load& one, std::size_t client) { return std::make_unique<EtcdConversation>(one, client); });
}

}  // namespace anel::bench

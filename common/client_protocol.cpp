#include "common/client_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/assert.hpp"
#include "common/msgpack_writer.hpp"

namespace anel {
namespace {

/// The head of every message; `fields` follow.
void begin(Packer& packer, std::uint32_t fields, std::string_view kind) {
    begin_message(packer, client_protocol_version, fields, kind);
}

struct RejectName {
    RejectCode code;
    std::string_view name;
    bool final;
};
constexpr std::array reject_names{
    RejectName{RejectCode::too_large, "too_large", true},
    RejectName{RejectCode::malformed, "malformed", true},
    RejectName{RejectCode::conflict, "conflict", true},
    RejectName{RejectCode::session_retired, "session_retired", true},
    RejectName{RejectCode::gap, "gap", false},
    RejectName{RejectCode::hello_first, "hello_first", false},
    RejectName{RejectCode::no_quorum, "no_quorum", false},
    RejectName{RejectCode::too_many_sessions, "too_many_sessions", false},
    RejectName{RejectCode::shutting_down, "shutting_down", false},
    RejectName{RejectCode::disk_full, "disk_full", false},
    RejectName{RejectCode::busy, "busy", false},
};

std::optional<Message> read_message(MsgpackReader& reader) {
    const auto pair = reader.array();
    const auto timestamp = pair && *pair == 2 ? reader.integer() : std::nullopt;
    const auto payload = timestamp ? reader.text_or_binary() : std::nullopt;
    if (!payload) return std::nullopt;
    return Message{*timestamp, *payload};
}

/// Reads the fields of a request; the first thing that is wrong makes `bad`.
class RequestReader {
public:
    /// @param limits  null: the messages of a push are left to who walks them
    RequestReader(BytesView frame, const limits::ClientLimits* limits) : reader_{frame}, limits_{limits} {}

    tl::expected<ClientRequest, BadRequest> read() {
        const auto elements = reader_.array();
        if (!elements || *elements < 2) return bad("a request is an array [1, kind, ...]");
        const auto version = reader_.unsigned_integer();
        if (!version) return bad("the version must be an unsigned integer");
        if (*version != client_protocol_version) {
            return bad(fmt::format("version {} is not known here, only 1", *version), ErrorCode::unsupported);
        }
        const auto kind = reader_.text();
        if (!kind) return bad("the kind must be a string");
        const std::uint32_t fields = *elements - 2;
        if (*kind == "push") return read_push(fields);
        if (*kind == "hello") return read_hello(fields);
        if (*kind == "bye") return read_bye(fields);
        if (*kind == "status") return read_status(fields);
        return bad("unknown kind; hello, push, bye and status are known", ErrorCode::unsupported);
    }

private:
    tl::expected<ClientRequest, BadRequest> bad(std::string text, ErrorCode code = ErrorCode::malformed) {
        return tl::unexpected{BadRequest{code, std::move(text), client_id_, instance_, sequence_}};
    }

    bool read_client_id(std::string_view& client_id) {
        const auto read = reader_.text();
        if (!read || read->empty() || read->size() > limits::client_id_bytes_max) return false;
        client_id = *read;
        client_id_ = std::string{*read};
        return true;
    }
    bool read_instance(Instance& instance) {
        const auto read = reader_.unsigned_integer();
        if (!read || *read == 0) return false;
        instance = instance_ = Instance{*read};
        return true;
    }

    tl::expected<ClientRequest, BadRequest> read_hello(std::uint32_t fields) {
        if (fields != 3 && fields != 4) return bad("hello has 3 or 4 fields: client id, instance, sent, birth");
        std::string_view client_id;
        Instance instance;
        if (!read_client_id(client_id)) return bad(client_id_rule);
        if (!read_instance(instance)) return bad(instance_rule);
        const auto sent = reader_.unsigned_integer();
        if (!sent) return bad("sent must be an unsigned integer");
        const auto birth = fields == 4 ? reader_.unsigned_integer() : std::uint64_t{0};
        if (!birth) return bad("the birth must be an unsigned integer");
        if (!reader_.done()) return bad(trailing_rule);
        return HelloRequest{std::string{client_id}, instance, ClientSequence{*sent}, Round{*birth}};
    }

    tl::expected<ClientRequest, BadRequest> read_bye(std::uint32_t fields) {
        if (fields != 2) return bad("bye has 2 fields: client id, instance");
        std::string_view client_id;
        Instance instance;
        if (!read_client_id(client_id)) return bad(client_id_rule);
        if (!read_instance(instance)) return bad(instance_rule);
        if (!reader_.done()) return bad(trailing_rule);
        return ByeRequest{std::string{client_id}, instance};
    }

    tl::expected<ClientRequest, BadRequest> read_status(std::uint32_t fields) {
        if (fields != 0 || !reader_.done()) return bad("status has no fields");
        return StatusRequest{};
    }

    tl::expected<ClientRequest, BadRequest> read_push(std::uint32_t fields) {
        if (fields != 4) return bad("push has 4 fields: client id, instance, first client sequence, messages");
        PushRequest push;
        if (!read_client_id(push.client_id)) return bad(client_id_rule);
        if (!read_instance(push.instance)) return bad(instance_rule);
        const auto first = reader_.unsigned_integer();
        if (!first || *first == 0) return bad("the first client sequence must be an unsigned integer, 1 at least");
        push.first = ClientSequence{*first};
        sequence_ = push.first;
        const auto count = reader_.array();
        if (!count || *count == 0) return bad("the messages must be an array of [timestamp, payload], 1 at least");
        if (*count > limits::batch_messages_max) {
            return bad(fmt::format("{} messages in a batch, {} are allowed", *count, limits::batch_messages_max),
                       ErrorCode::too_large);
        }
        if (*first > UINT64_MAX - *count) return bad("the client sequence does not fit 64 bits");
        push.count = *count;
        push.messages = reader_.rest();
        if (limits_ == nullptr) return push;
        for (std::uint32_t index = 0; index < *count; ++index) {
            const auto message = read_message(reader_);
            if (!message) return bad(fmt::format("message {} of the batch is not [timestamp, payload]", index));
            if (message->payload.size() > limits_->message_bytes) {
                sequence_ = ClientSequence{*first + index};
                return bad(fmt::format("a message of {} bytes, {} are allowed", message->payload.size(),
                                       limits_->message_bytes),
                           ErrorCode::too_large);
            }
        }
        if (!reader_.done()) return bad(trailing_rule);
        return push;
    }

    static constexpr const char* client_id_rule = "the client id must be a string of 1 to 64 bytes";
    static constexpr const char* instance_rule = "the instance must be an unsigned integer, not 0";
    static constexpr const char* trailing_rule = "there are bytes behind the request";

    MsgpackReader reader_;
    const limits::ClientLimits* limits_;
    std::string client_id_;
    Instance instance_;
    ClientSequence sequence_;
};

/// Reads the fields of a reply that are left when version and kind are read.
class ReplyReader {
public:
    explicit ReplyReader(MsgpackReader reader) : reader_{reader} {}

    Result<std::optional<ClientReply>> welcome() {
        Welcome reply;
        text(reply.client_id);
        number(reply.last.value);
        number(reply.node.value);
        const auto entries = reader_.map();
        for (std::uint32_t index = 0; entries && index < *entries; ++index) {
            const auto key = reader_.text();
            const auto value = reader_.unsigned_integer();
            if (!key || !value) break;
            if (*key == "max_message_bytes") reply.limits.message_bytes = *value;
            if (*key == "max_batch_bytes") reply.limits.batch_bytes = *value;
            if (*key == "window_bytes") reply.limits.window_bytes = *value;
            if (*key == "birth") reply.birth = Round{*value};
        }
        return finish(std::move(reply));
    }
    Result<std::optional<ClientReply>> ack() {
        Ack reply;
        text(reply.client_id);
        number(reply.last.value);
        number(reply.sequence.value);
        number(reply.round.value);
        return finish(std::move(reply));
    }
    Result<std::optional<ClientReply>> busy() {
        Busy reply;
        text(reply.client_id);
        number(reply.first.value);
        number(reply.retry_after_ms);
        return finish(std::move(reply));
    }
    Result<std::optional<ClientReply>> reject() {
        Reject reply;
        std::string code;
        text(reply.client_id);
        number(reply.sequence.value);
        text(code);
        text(reply.text);
        const auto known = reject_code_named(code);
        if (reader_.ok() && !known) return failure(ErrorCode::unsupported, "unknown reject code " + code);
        if (known) reply.code = *known;
        return finish(std::move(reply));
    }
    Result<std::optional<ClientReply>> bye() {
        Byed reply;
        text(reply.client_id);
        return finish(std::move(reply));
    }
    Result<std::optional<ClientReply>> status() {
        StatusReply reply;
        text(reply.json);
        return finish(std::move(reply));
    }

private:
    void text(std::string& into) {
        if (const auto read = reader_.text()) into = std::string{*read};
    }
    template <class Number>
    void number(Number& into) {
        if (const auto read = reader_.unsigned_integer()) into = *read;
    }
    template <class Reply>
    Result<std::optional<ClientReply>> finish(Reply reply) {
        if (!reader_.done()) return failure(ErrorCode::malformed, "a reply of the node cannot be read");
        return std::optional<ClientReply>{std::move(reply)};
    }
    MsgpackReader reader_;
};

}  // namespace

Message MessageReader::next() {
    const auto message = try_next();
    ANEL_ASSERT(message);
    return *message;
}

std::optional<Message> MessageReader::try_next() {
    if (left_ == 0) return std::nullopt;
    --left_;
    return read_message(reader_);
}

tl::expected<ClientRequest, BadRequest> decode_request(BytesView frame, const limits::ClientLimits& limits) {
    if (frame.size() > limits.batch_bytes) {
        // Read what names the sender, so that the refusal reaches the right batch.
        auto read = RequestReader{frame, &limits}.read();
        BadRequest bad{ErrorCode::too_large,
                       fmt::format("a frame of {} bytes, {} are allowed", frame.size(), limits.batch_bytes),
                       {},
                       {},
                       {}};
        if (!read) {
            bad.client_id = read.error().client_id;
            bad.instance = read.error().instance;
            bad.sequence = read.error().sequence;
        } else if (const auto* push = std::get_if<PushRequest>(&*read)) {
            bad.client_id = std::string{push->client_id};
            bad.instance = push->instance;
            bad.sequence = push->first;
        }
        return tl::unexpected{std::move(bad)};
    }
    return RequestReader{frame, &limits}.read();
}

std::optional<ClientRequest> decode_taken(BytesView frame) {
    auto read = RequestReader{frame, nullptr}.read();
    if (!read) return std::nullopt;
    return std::move(*read);
}

Bytes encode(const HelloRequest& request) {
    ByteSink sink;
    Packer packer{sink};
    // A node of an older program knows three fields; it tells no birth, so it is never told one back.
    const bool names_birth = request.birth.value != 0;
    begin(packer, names_birth ? 4 : 3, "hello");
    pack_text(packer, request.client_id);
    packer.pack_uint64(request.instance.value);
    packer.pack_uint64(request.sent.value);
    if (names_birth) packer.pack_uint64(request.birth.value);
    return std::move(sink.bytes);
}

Bytes encode(const ByeRequest& request) {
    ByteSink sink;
    Packer packer{sink};
    begin(packer, 2, "bye");
    pack_text(packer, request.client_id);
    packer.pack_uint64(request.instance.value);
    return std::move(sink.bytes);
}

Bytes encode(const StatusRequest&) {
    ByteSink sink;
    Packer packer{sink};
    begin(packer, 0, "status");
    return std::move(sink.bytes);
}

Bytes encode_push(std::string_view client_id, Instance instance, ClientSequence first,
                  const std::vector<Message>& messages) {
    ByteSink sink;
    std::size_t size = 64 + client_id.size();
    for (const auto& message : messages) size += message.payload.size() + 16;
    sink.bytes.reserve(size);
    Packer packer{sink};
    begin(packer, 4, "push");
    pack_text(packer, client_id);
    packer.pack_uint64(instance.value);
    packer.pack_uint64(first.value);
    packer.pack_array(static_cast<std::uint32_t>(messages.size()));
    for (const auto& message : messages) {
        packer.pack_array(2);
        packer.pack_int64(message.timestamp);
        // bin, because a payload need not be UTF-8 and other languages' decoders insist that str is.
        packer.pack_bin(static_cast<std::uint32_t>(message.payload.size()));
        packer.pack_bin_body(message.payload.data(), static_cast<std::uint32_t>(message.payload.size()));
    }
    return std::move(sink.bytes);
}

std::string_view name_of(RejectCode code) {
    for (const auto& entry : reject_names) {
        if (entry.code == code) return entry.name;
    }
    ANEL_ASSERT(code == RejectCode::busy);  // every reject code has a name
    return {};
}

std::optional<RejectCode> reject_code_named(std::string_view name) {
    for (const auto& entry : reject_names) {
        if (entry.name == name) return entry.code;
    }
    return std::nullopt;
}

bool is_final(RejectCode code) {
    for (const auto& entry : reject_names) {
        if (entry.code == code) return entry.final;
    }
    return false;
}

Bytes encode(const ClientReply& reply) {
    ByteSink sink;
    Packer packer{sink};
    std::visit(Overloaded{
                   [&](const Welcome& welcome) {
                       begin(packer, 4, "welcome");
                       pack_text(packer, welcome.client_id);
                       packer.pack_uint64(welcome.last.value);
                       packer.pack_uint64(welcome.node.value);
                       const bool tells_birth = welcome.birth.value != 0;
                       packer.pack_map(tells_birth ? 4 : 3);
                       pack_text(packer, "max_message_bytes");
                       packer.pack_uint64(welcome.limits.message_bytes);
                       pack_text(packer, "max_batch_bytes");
                       packer.pack_uint64(welcome.limits.batch_bytes);
                       pack_text(packer, "window_bytes");
                       packer.pack_uint64(welcome.limits.window_bytes);
                       if (tells_birth) {  // here, because clients of an older program pass over what they do not know
                           pack_text(packer, "birth");
                           packer.pack_uint64(welcome.birth.value);
                       }
                   },
                   [&](const Ack& ack) {
                       begin(packer, 4, "ack");
                       pack_text(packer, ack.client_id);
                       packer.pack_uint64(ack.last.value);
                       packer.pack_uint64(ack.sequence.value);
                       packer.pack_uint64(ack.round.value);
                   },
                   [&](const Busy& busy) {
                       begin(packer, 3, "busy");
                       pack_text(packer, busy.client_id);
                       packer.pack_uint64(busy.first.value);
                       packer.pack_uint64(busy.retry_after_ms);
                   },
                   [&](const Reject& reject) {
                       begin(packer, 4, "reject");
                       pack_text(packer, reject.client_id);
                       packer.pack_uint64(reject.sequence.value);
                       pack_text(packer, name_of(reject.code));
                       pack_text(packer, reject.text);
                   },
                   [&](const Byed& byed) {
                       begin(packer, 1, "bye");
                       pack_text(packer, byed.client_id);
                   },
                   [&](const TextOk& ok) {
                       const auto text = fmt::format("OK {}", ok.sequence.value);
                       sink.write(text.data(), text.size());
                   },
                   [&](const TextError& error) {
                       const auto text = fmt::format("ERR {} {}", name_of(error.code), error.text);
                       sink.write(text.data(), text.size());
                   },
                   [&](const StatusReply& status) {
                       begin(packer, 1, "status");
                       pack_text(packer, status.json);
                   },
               },
               reply);
    return std::move(sink.bytes);
}

Result<std::optional<ClientReply>> decode_reply(BytesView frame) {
    MsgpackReader reader{frame};
    const auto elements = reader.array();
    const auto version = reader.unsigned_integer();
    const auto kind = reader.text();
    if (!elements || !version || !kind) return failure(ErrorCode::malformed, "a reply of the node cannot be read");
    if (*version != client_protocol_version) {
        return failure(ErrorCode::unsupported, fmt::format("the node speaks version {}, not 1", *version));
    }
    ReplyReader fields{reader};
    const auto is = [&](std::string_view name, std::uint32_t count) { return *kind == name && *elements == count + 2; };
    if (is("ack", 4)) return fields.ack();
    if (is("welcome", 4)) return fields.welcome();
    if (is("busy", 3)) return fields.busy();
    if (is("reject", 4)) return fields.reject();
    if (is("bye", 1)) return fields.bye();
    if (is("status", 1)) return fields.status();
    constexpr std::array known{"ack", "welcome", "busy", "reject", "bye", "status"};
    if (std::find(known.begin(), known.end(), *kind) == known.end()) return std::nullopt;
    return failure(ErrorCode::malformed, fmt::format("the node sent a '{}' of another shape", *kind));
}

}  // namespace anel

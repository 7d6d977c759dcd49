#include "ring/transport/codec.hpp"

#include "ring/transport/wire.hpp"

namespace anel {
namespace {

using wire::Reader;
using wire::Writer;

tl::unexpected<Error> malformed(const char* text) { return failure(ErrorCode::malformed, text); }

/// Puts sender and life before the fields of a core message.
template <class Message>
void put_envelope(Writer& writer, const ControlEnvelope& envelope, const Message& message) {
    writer.array(4 + wire::field_count<Message>);
    writer.put(ring_protocol_version);
    writer.put(wire::shape_of<Message>.kind);
    writer(envelope.from);
    writer(envelope.incarnation);
    wire::fields(writer, message);
}

/// Tries the messages of a variant by their words; `elements` and the word are read already.
template <class Variant, class Message, class... Rest>
bool get_named(Reader& reader, std::string_view kind, std::uint32_t field_count, Variant& out) {
    if (kind == wire::shape_of<Message>.kind) {
        Message message;
        reader.require(field_count == wire::field_count<Message>);
        if (reader.ok()) wire::fields(reader, message);
        out = std::move(message);
        return true;
    }
    if constexpr (sizeof...(Rest) > 0) return get_named<Variant, Rest...>(reader, kind, field_count, out);
    return false;
}
template <class... Message>
bool get_any(Reader& reader, std::string_view kind, std::uint32_t field_count, std::variant<Message...>& out) {
    return get_named<std::variant<Message...>, Message...>(reader, kind, field_count, out);
}

struct Head {
    std::uint32_t field_count = 0;
    std::string_view kind;
};
Result<Head> read_head(Reader& reader) {
    const auto elements = reader.array();
    if (!reader.ok() || elements < 2) return malformed("a ring message is an array [version, kind, ...]");
    std::uint64_t version = 0;
    reader.get(version);
    if (!reader.ok()) return malformed("the version must be an unsigned integer");
    if (version != ring_protocol_version) return failure(ErrorCode::unsupported, "unknown ring protocol version");
    const auto kind = reader.text();
    if (!reader.ok()) return malformed("the kind must be a string");
    return Head{elements - 2, kind};
}

}  // namespace

Bytes encode_control(const ControlFrame& frame) {
    Writer writer;
    std::visit(Overloaded{[&](const ControlEnvelope& envelope) {
                              std::visit([&](const auto& message) { put_envelope(writer, envelope, message); },
                                         envelope.message);
                          },
                          [&](const auto& message) { wire::put_message(writer, message); }},
               frame);
    return writer.take();
}

Result<ControlFrame> decode_control(BytesView frame) {
    if (frame.size() > limits::control_bytes_max) return failure(ErrorCode::too_large, "a control message too large");
    Reader reader{frame};
    const auto head = read_head(reader);
    if (!head) return tl::unexpected{head.error()};
    std::variant<Who, IAm, Taken, AskFigures, Figures> own;
    if (get_any(reader, head->kind, head->field_count, own)) {
        if (!reader.done()) return malformed("the fields of a greeting are wrong");
        return std::visit([](auto& message) -> ControlFrame { return std::move(message); }, own);
    }
    ControlEnvelope envelope;
    reader.require(head->field_count >= 2);
    reader(envelope.from);
    reader(envelope.incarnation);
    if (!reader.ok()) return malformed("sender or incarnation are wrong");
    if (!get_any(reader, head->kind, head->field_count - 2, envelope.message)) {
        return failure(ErrorCode::unsupported, "unknown kind of control message");
    }
    if (!reader.done()) return malformed("the fields of a control message are wrong");
    return envelope;
}

Bytes encode_link(const LinkMessage& message) {
    Writer writer;
    std::visit([&](const auto& kind) { wire::put_message(writer, kind); }, message);
    return writer.take();
}

Result<LinkMessage> decode_link(const Blob& frame) {
    Reader reader{frame};
    const auto head = read_head(reader);
    if (!head) return tl::unexpected{head.error()};
    LinkMessage message;
    if (!get_any(reader, head->kind, head->field_count, message)) {
        return failure(ErrorCode::unsupported, "unknown kind of link message");
    }
    if (!reader.done()) return malformed("the fields of a link message are wrong");
    return message;
}

}  // namespace anel

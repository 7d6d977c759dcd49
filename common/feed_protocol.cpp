#include "common/feed_protocol.hpp"

#include <fmt/format.h>

#include <array>

#include "common/msgpack_reader.hpp"
#include "common/msgpack_writer.hpp"

namespace anel {
namespace {

struct RefusalName {
    FeedRefusal refusal;
    std::string_view name;
    bool final;
};
constexpr std::array refusal_names{
    RefusalName{FeedRefusal::malformed, "malformed", true},
    RefusalName{FeedRefusal::other_ledger, "other_ledger", true},
    RefusalName{FeedRefusal::removed, "removed", true},
    RefusalName{FeedRefusal::behind, "behind", false},
    RefusalName{FeedRefusal::too_many_readers, "too_many_readers", false},
    RefusalName{FeedRefusal::shutting_down, "shutting_down", false},
    RefusalName{FeedRefusal::unreadable, "unreadable", false},
};
const RefusalName& entry_of(FeedRefusal refusal) {
    for (const auto& entry : refusal_names) {
        if (entry.refusal == refusal) return entry;
    }
    return refusal_names.front();
}

tl::unexpected<Error> bad(std::string text) { return failure(ErrorCode::malformed, std::move(text)); }

/// Version and kind; the fields are next. An error where the version is another or there are none.
Result<std::string_view> read_head(MsgpackReader& reader, std::uint32_t& fields) {
    const auto elements = reader.array();
    if (!elements || *elements < 2) return bad("a message of the feed is an array [1, kind, ...]");
    const auto version = reader.unsigned_integer();
    if (!version) return bad("the version must be an unsigned integer");
    if (*version != feed_protocol_version) {
        return failure(ErrorCode::unsupported, fmt::format("version {} is not known here, only 1", *version));
    }
    const auto kind = reader.text();
    if (!kind) return bad("the kind must be a string");
    fields = *elements - 2;
    return *kind;
}

std::optional<std::string> read_ledger(MsgpackReader& reader) {
    const auto name = reader.text();
    if (!name || name->size() > limits::feed_ledger_bytes_max) return std::nullopt;
    return std::string{*name};
}

Result<FeedAnswer> read_output(MsgpackReader& reader) {
    auto ledger = read_ledger(reader);
    const auto offset = reader.unsigned_integer();
    const auto end = reader.unsigned_integer();
    const auto round = reader.unsigned_integer();
    const auto bytes = reader.binary();
    if (!ledger || !offset || !end || !round || !bytes || !reader.done()) {
        return bad("output has 5 fields: ledger, offset, end, round, bytes");
    }
    if (*offset > *end || bytes->size() > *end - *offset) return bad("output that goes beyond its end");
    return FeedOutput{std::move(*ledger), *offset, *end, Round{*round}, *bytes};
}

Result<FeedAnswer> read_reject(MsgpackReader& reader) {
    const auto code = reader.text();
    const auto text = reader.text();
    if (!code || !text || !reader.done()) return bad("reject has 2 fields: code, text");
    // A code of a later program: what its text says is all there is to know.
    return FeedReject{feed_refusal_named(*code).value_or(FeedRefusal::unreadable), std::string{*text}};
}

}  // namespace

std::string_view name_of(FeedRefusal refusal) { return entry_of(refusal).name; }
bool is_final(FeedRefusal refusal) { return entry_of(refusal).final; }
std::optional<FeedRefusal> feed_refusal_named(std::string_view name) {
    for (const auto& entry : refusal_names) {
        if (entry.name == name) return entry.refusal;
    }
    return std::nullopt;
}

Bytes encode(const FeedRead& request) {
    ByteSink sink;
    Packer packer{sink};
    begin_message(packer, feed_protocol_version, 3, "read");
    pack_text(packer, request.ledger);
    packer.pack_uint64(request.offset);
    packer.pack_uint64(request.bytes_max);
    return std::move(sink.bytes);
}

Bytes encode(const FeedAnswer& answer) {
    ByteSink sink;
    Packer packer{sink};
    if (const auto* reject = std::get_if<FeedReject>(&answer)) {
        begin_message(packer, feed_protocol_version, 2, "reject");
        pack_text(packer, name_of(reject->code));
        pack_text(packer, reject->text);
        return std::move(sink.bytes);
    }
    const auto& output = std::get<FeedOutput>(answer);
    constexpr std::size_t head_bytes_max = 128;
    sink.bytes.reserve(output.bytes.size() + head_bytes_max);
    begin_message(packer, feed_protocol_version, 5, "output");
    pack_text(packer, output.ledger);
    packer.pack_uint64(output.offset);
    packer.pack_uint64(output.end);
    packer.pack_uint64(output.round.value);
    packer.pack_bin(static_cast<std::uint32_t>(output.bytes.size()));
    packer.pack_bin_body(output.bytes.data(), static_cast<std::uint32_t>(output.bytes.size()));
    return std::move(sink.bytes);
}

Result<FeedRead> decode_feed_request(BytesView frame) {
    if (frame.size() > limits::feed_request_bytes_max) {
        return bad(fmt::format("a request of {} bytes, {} are allowed", frame.size(), limits::feed_request_bytes_max));
    }
    MsgpackReader reader{frame};
    std::uint32_t fields = 0;
    const auto kind = read_head(reader, fields);
    if (!kind) return tl::unexpected{kind.error()};
    if (*kind != "read") return bad("unknown kind; read is the one request of the feed");
    if (fields != 3) return bad("read has 3 fields: ledger, offset, bytes at most");
    auto ledger = read_ledger(reader);
    if (!ledger) {
        return bad(fmt::format("the ledger must be a string of at most {} bytes, empty for any",
                               limits::feed_ledger_bytes_max));
    }
    const auto offset = reader.unsigned_integer();
    if (!offset) return bad("the offset must be an unsigned integer");
    const auto bytes_max = reader.unsigned_integer();
    if (!bytes_max) return bad("the bytes at most must be an unsigned integer");
    if (!reader.done()) return bad("bytes behind the request");
    return FeedRead{std::move(*ledger), *offset, *bytes_max};
}

Result<FeedAnswer> decode_feed_answer(BytesView frame) {
    MsgpackReader reader{frame};
    std::uint32_t fields = 0;
    const auto kind = read_head(reader, fields);
    if (!kind) return tl::unexpected{kind.error()};
    if (*kind == "output" && fields == 5) return read_output(reader);
    if (*kind == "reject" && fields == 2) return read_reject(reader);
    return bad("an answer that is neither output nor reject");
}

}  // namespace anel

#include "client/batch.hpp"

#include <algorithm>
#include <array>

#include "common/assert.hpp"
#include "common/limits.hpp"

namespace anel::client {
namespace {

template <class Integer>
void append_big_endian(Bytes& bytes, std::uint8_t lead, Integer value) {
    std::array<std::byte, sizeof(Integer) + 1> raw{std::byte{lead}};
    for (std::size_t index = 0; index < sizeof(Integer); ++index) {
        const auto shift = 8 * (sizeof(Integer) - 1 - index);
        raw[index + 1] = static_cast<std::byte>((static_cast<std::uint64_t>(value) >> shift) & 0xffU);
    }
    bytes.insert(bytes.end(), raw.begin(), raw.end());
}

void append_text(Bytes& bytes, std::string_view text) {
    const auto view = as_bytes(text);
    bytes.insert(bytes.end(), view.begin(), view.end());
}

// msgpack lead bytes, from its specification.
constexpr std::uint8_t lead_bin8 = 0xc4;
constexpr std::uint8_t lead_bin16 = 0xc5;
constexpr std::uint8_t lead_bin32 = 0xc6;
constexpr std::uint8_t lead_uint64 = 0xcf;
constexpr std::uint8_t lead_int64 = 0xd3;
constexpr std::uint8_t lead_str8 = 0xd9;
constexpr std::uint8_t lead_array16 = 0xdc;

constexpr std::size_t count_field_bytes = 3;
constexpr std::size_t first_field_bytes = 9;

}  // namespace

Batch::Batch(std::string_view client_id, Instance instance, std::size_t expected_bytes)
    : bytes_{std::make_shared<Bytes>()} {
    auto& bytes = *bytes_;
    bytes.reserve(expected_bytes + client_id.size() + 32);
    bytes.push_back(std::byte{0x96});  // [1, "push", client id, instance, first, messages]
    bytes.push_back(std::byte{0x01});
    append_text(bytes, "\xa4push");
    append_big_endian(bytes, lead_str8, static_cast<std::uint8_t>(client_id.size()));
    append_text(bytes, client_id);
    append_big_endian(bytes, lead_uint64, instance.value);
    append_big_endian(bytes, lead_uint64, std::uint64_t{0});
    append_big_endian(bytes, lead_array16, std::uint16_t{0});
    head_bytes_ = bytes.size();
}

void Batch::append(Timestamp timestamp, std::string_view payload) {
    ANEL_ASSERT(count_ < limits::batch_messages_max);
    auto& bytes = *bytes_;
    bytes.push_back(std::byte{0x92});
    append_big_endian(bytes, lead_int64, timestamp);
    if (payload.size() <= 0xff) append_big_endian(bytes, lead_bin8, static_cast<std::uint8_t>(payload.size()));
    else if (payload.size() <= 0xffff) append_big_endian(bytes, lead_bin16, static_cast<std::uint16_t>(payload.size()));
    else append_big_endian(bytes, lead_bin32, static_cast<std::uint32_t>(payload.size()));
    append_text(bytes, payload);
    ++count_;
}

Blob Batch::frame(ClientSequence first) {
    Bytes fields;
    append_big_endian(fields, lead_uint64, first.value);
    append_big_endian(fields, lead_array16, static_cast<std::uint16_t>(count_));
    const auto at = head_bytes_ - count_field_bytes - first_field_bytes;
    if (!std::equal(fields.begin(), fields.end(), bytes_->begin() + static_cast<std::ptrdiff_t>(at))) {
        // The library may still be sending the bytes as they were: never write into a frame given out.
        if (given_out_) bytes_ = std::make_shared<Bytes>(*bytes_);
        std::copy(fields.begin(), fields.end(), bytes_->begin() + static_cast<std::ptrdiff_t>(at));
    }
    given_out_ = true;
    return Blob{bytes_, BytesView{*bytes_}};
}

Batch Batch::split_behind(std::uint32_t count) {
    ANEL_ASSERT(count > 0);
    ANEL_ASSERT(count < count_);
    MsgpackReader reader{messages()};
    for (std::uint32_t index = 0; index < count; ++index) {
        const auto pair = reader.array();
        const auto timestamp = reader.integer();
        const auto payload = reader.text_or_binary();
        ANEL_ASSERT(pair && timestamp && payload);
    }
    const auto kept = bytes_->size() - reader.rest().size();
    Batch tail{*this};
    tail.bytes_ = std::make_shared<Bytes>(bytes_->begin(), bytes_->begin() + static_cast<std::ptrdiff_t>(head_bytes_));
    tail.bytes_->insert(tail.bytes_->end(), reader.rest().begin(), reader.rest().end());
    tail.count_ = count_ - count;
    tail.given_out_ = false;
    bytes_ = std::make_shared<Bytes>(bytes_->begin(), bytes_->begin() + static_cast<std::ptrdiff_t>(kept));
    count_ = count;
    given_out_ = false;
    return tail;
}

}  // namespace anel::client

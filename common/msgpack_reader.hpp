// A strict cursor over msgpack bytes: no allocation, no recursion, no trust in declared sizes.
//
// msgpack-c builds a tree and allocates what the sender declares unless every limit is set; this reader
// takes the few shapes the protocols have and says no to all others. Format: the msgpack specification.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/blob.hpp"

namespace anel {

/// Reads values one after another. After the first failure every read fails and `ok()` is false.
class MsgpackReader {
public:
    explicit MsgpackReader(BytesView bytes) : rest_{bytes} {}

    [[nodiscard]] bool ok() const { return ok_; }
    /// All read, nothing trailing.
    [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }
    [[nodiscard]] BytesView rest() const { return rest_; }

    /// The number of elements of an array, which must be able to stand in what is left (one byte each at least).
    std::optional<std::uint32_t> array() {
        const auto lead = byte();
        if ((lead & 0xf0) == 0x90) return counted(lead & 0x0fU);
        if (lead == 0xdc) return counted(big_endian<std::uint16_t>());
        if (lead == 0xdd) return counted(big_endian<std::uint32_t>());
        return fail();
    }
    std::optional<std::uint32_t> map() {
        const auto lead = byte();
        if ((lead & 0xf0) == 0x80) return counted(lead & 0x0fU);
        if (lead == 0xde) return counted(big_endian<std::uint16_t>());
        if (lead == 0xdf) return counted(big_endian<std::uint32_t>());
        return fail();
    }
    std::optional<std::string_view> text() {
        const auto lead = byte();
        if ((lead & 0xe0) == 0xa0) return run(lead & 0x1fU);
        if (lead == 0xd9) return run(byte());
        if (lead == 0xda) return run(big_endian<std::uint16_t>());
        if (lead == 0xdb) return run(big_endian<std::uint32_t>());
        return fail();
    }
    std::optional<std::string_view> binary() {
        const auto lead = byte();
        if (lead == 0xc4) return run(byte());
        if (lead == 0xc5) return run(big_endian<std::uint16_t>());
        if (lead == 0xc6) return run(big_endian<std::uint32_t>());
        return fail();
    }
    /// A payload may be str or bin.
    std::optional<std::string_view> text_or_binary() {
        if (rest_.empty()) return fail();
        const auto lead = std::to_integer<std::uint8_t>(rest_.front());
        return lead >= 0xc4 && lead <= 0xc6 ? binary() : text();
    }
    std::optional<std::uint64_t> unsigned_integer() {
        const auto lead = byte();
        if (lead <= 0x7f) return value<std::uint64_t>(lead);
        switch (lead) {
            case 0xcc: return value<std::uint64_t>(byte());
            case 0xcd: return value<std::uint64_t>(big_endian<std::uint16_t>());
            case 0xce: return value<std::uint64_t>(big_endian<std::uint32_t>());
            case 0xcf: return value<std::uint64_t>(big_endian<std::uint64_t>());
            case 0xd0: return not_negative(static_cast<std::int8_t>(byte()));
            case 0xd1: return not_negative(static_cast<std::int16_t>(big_endian<std::uint16_t>()));
            case 0xd2: return not_negative(static_cast<std::int32_t>(big_endian<std::uint32_t>()));
            case 0xd3: return not_negative(static_cast<std::int64_t>(big_endian<std::uint64_t>()));
            default: return fail();
        }
    }
    std::optional<std::int64_t> integer() {
        const auto lead = byte();
        if (lead <= 0x7f) return value<std::int64_t>(lead);
        if (lead >= 0xe0) return value<std::int64_t>(static_cast<std::int8_t>(lead));
        switch (lead) {
            case 0xcc: return value<std::int64_t>(byte());
            case 0xcd: return value<std::int64_t>(big_endian<std::uint16_t>());
            case 0xce: return value<std::int64_t>(big_endian<std::uint32_t>());
            case 0xcf: {
                const auto wide = big_endian<std::uint64_t>();
                if (wide > static_cast<std::uint64_t>(INT64_MAX)) return fail();
                return value<std::int64_t>(static_cast<std::int64_t>(wide));
            }
            case 0xd0: return value<std::int64_t>(static_cast<std::int8_t>(byte()));
            case 0xd1: return value<std::int64_t>(static_cast<std::int16_t>(big_endian<std::uint16_t>()));
            case 0xd2: return value<std::int64_t>(static_cast<std::int32_t>(big_endian<std::uint32_t>()));
            case 0xd3: return value<std::int64_t>(static_cast<std::int64_t>(big_endian<std::uint64_t>()));
            default: return fail();
        }
    }
    std::optional<bool> boolean() {
        const auto lead = byte();
        if (lead == 0xc2) return value(false);
        if (lead == 0xc3) return value(true);
        return fail();
    }

private:
    std::nullopt_t fail() {
        ok_ = false;
        rest_ = {};
        return std::nullopt;
    }
    /// Never a valid lead byte (0xc1 is unused in msgpack), so a read past the end fails by itself.
    static constexpr std::uint8_t nothing = 0xc1;
    std::uint8_t byte() {
        if (rest_.empty()) {
            ok_ = false;
            return nothing;
        }
        const auto first = std::to_integer<std::uint8_t>(rest_.front());
        rest_ = rest_.subspan(1);
        return first;
    }
    template <class Integer>
    Integer big_endian() {
        if (rest_.size() < sizeof(Integer)) {
            fail();
            return 0;
        }
        Integer raw;
        std::memcpy(&raw, rest_.data(), sizeof raw);
        rest_ = rest_.subspan(sizeof raw);
        if constexpr (sizeof(Integer) == 2) return __builtin_bswap16(raw);
        else if constexpr (sizeof(Integer) == 4) return __builtin_bswap32(raw);
        else return __builtin_bswap64(raw);
    }
    template <class Value>
    std::optional<Value> value(Value read) {
        if (!ok_) return std::nullopt;
        return read;
    }
    std::optional<std::uint64_t> not_negative(std::int64_t read) {
        if (!ok_ || read < 0) return fail();
        return static_cast<std::uint64_t>(read);
    }
    std::optional<std::uint32_t> counted(std::uint32_t elements) {
        if (!ok_ || elements > rest_.size()) return fail();
        return elements;
    }
    std::optional<std::string_view> run(std::uint32_t length) {
        if (!ok_ || length > rest_.size()) return fail();
        const auto bytes = rest_.subspan(0, length);
        rest_ = rest_.subspan(length);
        return as_text(bytes);
    }

    BytesView rest_;
    bool ok_ = true;
};
static_assert(std::endian::native == std::endian::little, "the readers and writers of bytes assume it");

}  // namespace anel

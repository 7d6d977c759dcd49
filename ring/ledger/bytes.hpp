// Little-endian numbers and short strings in a row of bytes: what records and checkpoints are made of.
#pragma once

#include <type_traits>

#include "common/blob.hpp"

namespace anel {

class ByteWriter {
public:
    explicit ByteWriter(Bytes& into) : into_{into} {}
    template <class Number>
    void number(Number value) {
        static_assert(std::is_integral_v<Number>);
        const auto* at = reinterpret_cast<const std::byte*>(&value);
        into_.insert(into_.end(), at, at + sizeof value);
    }
    /// At most 255 bytes.
    void short_text(std::string_view text) {
        number(static_cast<std::uint8_t>(text.size()));
        const auto bytes = as_bytes(text);
        into_.insert(into_.end(), bytes.begin(), bytes.end());
    }

private:
    Bytes& into_;
};

/// Reads what ByteWriter wrote. After the first failure everything read is 0 and `ok()` is false.
class ByteReader {
public:
    explicit ByteReader(BytesView bytes) : rest_{bytes} {}
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }
    [[nodiscard]] std::size_t left() const { return rest_.size(); }
    template <class Number>
    Number number() {
        Number value{};
        if (rest_.size() < sizeof value) {
            ok_ = false;
            rest_ = {};
            return value;
        }
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_ = rest_.subspan(sizeof value);
        return value;
    }
    std::string_view short_text() {
        const std::size_t length = number<std::uint8_t>();
        if (rest_.size() < length) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const auto text = as_text(rest_.first(length));
        rest_ = rest_.subspan(length);
        return text;
    }

private:
    BytesView rest_;
    bool ok_ = true;
};

/// A struct without padding, as the bytes it consists of.
template <class Plain>
[[nodiscard]] BytesView bytes_of(const Plain& plain) {
    static_assert(std::has_unique_object_representations_v<Plain>);
    return {reinterpret_cast<const std::byte*>(&plain), sizeof plain};
}

}  // namespace anel

// Bytes that nobody changes any more, shared without copying.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace anel {

using Bytes = std::vector<std::byte>;
using BytesView = std::span<const std::byte>;

[[nodiscard]] inline std::string_view as_text(BytesView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline BytesView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// An immutable run of bytes with shared ownership of whatever holds them (a vector, a received
/// message). Copying a Blob copies no byte. Two blobs are equal when their bytes are.
class Blob {
public:
    Blob() = default;
    Blob(std::shared_ptr<const void> owner, BytesView bytes) : owner_{std::move(owner)}, bytes_{bytes} {}

    [[nodiscard]] static Blob of(Bytes bytes) {
        auto owner = std::make_shared<const Bytes>(std::move(bytes));
        const BytesView view{*owner};
        return {std::move(owner), view};
    }
    [[nodiscard]] static Blob copy(BytesView bytes) {
        if (bytes.empty()) return {};
        auto owner = std::make_shared_for_overwrite<std::byte[]>(bytes.size());  // one allocation, of() takes two
        std::memcpy(owner.get(), bytes.data(), bytes.size());
        const BytesView view{owner.get(), bytes.size()};
        return {std::move(owner), view};
    }
    [[nodiscard]] static Blob copy(std::string_view text) { return copy(as_bytes(text)); }

    [[nodiscard]] BytesView bytes() const { return bytes_; }
    [[nodiscard]] std::string_view text() const { return as_text(bytes_); }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    [[nodiscard]] Blob slice(std::size_t offset, std::size_t length) const {
        return {owner_, bytes_.subspan(offset, length)};
    }

    friend bool operator==(const Blob& left, const Blob& right) { return left.text() == right.text(); }

private:
    std::shared_ptr<const void> owner_;
    BytesView bytes_;
};

}  // namespace anel

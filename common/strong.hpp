// Numbers that mean something have a type of their own: an epoch cannot be compared with a sequence.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace anel {

/// A 64-bit number of one meaning. There is no implicit way in or out; `value` is the explicit one.
template <class Tag>
struct Strong {
    std::uint64_t value = 0;
    friend constexpr auto operator<=>(Strong, Strong) = default;
    [[nodiscard]] constexpr Strong next() const { return {value + 1}; }
};

}  // namespace anel

template <class Tag>
struct std::hash<anel::Strong<Tag>> {
    std::size_t operator()(anel::Strong<Tag> number) const noexcept { return std::hash<std::uint64_t>{}(number.value); }
};

// Where the last rounds of an output begin, found from its end, wherever its bytes come from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace anel::command {

/// The N of `--from N`; nothing where the text is no number.
[[nodiscard]] std::optional<std::uint64_t> rounds_of(std::string_view from);

/// `size` bytes from `begin` on, all of which are there; nothing where they cannot be read.
using ReadBack = std::function<std::optional<std::string>(std::uint64_t begin, std::size_t size)>;

/// The offset behind the separator (classic format) before the last `rounds` rounds; 0 where there are not so many.
/// Nothing where `read` gave nothing.
[[nodiscard]] std::optional<std::uint64_t> offset_of_last_rounds(std::uint64_t end, std::uint64_t rounds,
                                                                 const ReadBack& read);

}  // namespace anel::command

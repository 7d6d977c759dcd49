// `anel status --watch`: one frame after another, in place where the terminal can. Pure, so it can be tested.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/command/status_view.hpp"

namespace anel::command {

/// What frames are written to.
struct Surface {
    bool in_place = false;  ///< a terminal that can move its cursor: a frame is drawn over the one before
    bool colours = false;   ///< a terminal, and nobody said NO_COLOR
    std::size_t columns =
        0;  ///< longer lines are cut there, because wrapped ones cannot be drawn over; 0: as long as they are
};

/// What a look at the ring found, and when.
struct Look {
    std::vector<NodeAnswer> answers;
    double at_s = 0;    ///< seconds of a monotonic clock, for rates
    std::string clock;  ///< the time for people
};

/// The highest ledger sequence that any node tells; nothing where none does.
[[nodiscard]] std::optional<std::uint64_t> sequence_of(const std::vector<NodeAnswer>& answers);
/// Messages a second between two looks; nothing where one of them has no sequence, or no time passed.
[[nodiscard]] std::optional<double> rate_between(const Look& before, const Look& now);

/// Remembers the look before, for rates, and how many lines stand on the terminal.
class StatusScreen {
public:
    /// The text that shows `look`. It begins with what moves the cursor up to the last frame.
    [[nodiscard]] std::string frame(const Look& look, const Surface& surface);

private:
    std::optional<Look> before_;
    std::size_t lines_ = 0;  ///< of the last frame
};

}  // namespace anel::command

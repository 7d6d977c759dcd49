// Makes of the bids of an elected round what is to be decided: which messages, in which order, as which text.
#pragma once

#include <optional>
#include <vector>

#include "ring/core/context.hpp"
#include "ring/core/messages.hpp"

namespace anel {

/// Settles the content and the order of a round (docs/DESIGN.md section 4). A message is taken only under its
/// session's present birth and only if its client sequence is the session's last plus one, counting this round.
/// Repeats go first out, the copy of the lowest container stays; then the order is by (timestamp, container, client id,
/// client sequence), where (timestamp, container) is raised, as a pair, to that of the same client's message before.
/// What is not taken leaves no trace: its bidder sees it missing from the sessions and tells its client why.
/// @param bids   of every member that had one.   @param view  retires the anonymous sessions of replaced members.
/// @return none when nothing in the bids is new: such a round takes no slot.
[[nodiscard]] std::optional<RoundRecord> build_round(const Context& context, const View& view, std::vector<Bid> bids);

}  // namespace anel

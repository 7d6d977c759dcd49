// The session part of an audit: every client's messages once, in order, and as many as the rounds say.
#pragma once

#include <map>
#include <optional>

#include "ring/core/ledger.hpp"

namespace anel {

class SessionAudit {
public:
    /// @param complete  the journal begins with round 1, so a client not seen yet has no session
    explicit SessionAudit(bool complete) : complete_{complete} {}

    /// What is wrong with the changes of a round; none: nothing.
    [[nodiscard]] std::optional<std::string> take(Round round, Sequence first, std::uint64_t count,
                                                  const std::vector<SessionChange>& changes);
    /// Compares with a checkpoint's table after the same round; from then on the table is complete.
    [[nodiscard]] std::optional<std::string> compare(const Snapshot& snapshot);

    [[nodiscard]] std::uint64_t sessions() const { return table_.size(); }
    [[nodiscard]] std::uint64_t counted_rounds() const { return counted_rounds_; }

private:
    bool complete_;
    std::map<std::string, std::optional<Session>, std::less<>> table_;
    std::uint64_t counted_rounds_ = 0;
};

}  // namespace anel

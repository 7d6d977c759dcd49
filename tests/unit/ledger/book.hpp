// The checker's own book of a ledger: what was written for each round, where it must stand, whose session it changed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ring/core/ledger.hpp"

namespace anel::test {

using Sessions = std::map<std::string, Session>;

class Book {
public:
    /// @param start  what stands in output.txt before the first round
    explicit Book(std::string start) : start_{std::move(start)} {}

    // The round behind the last one, by kind. Nothing is kept of it yet.
    [[nodiscard]] RoundRecord hello(const std::string& client) const;
    [[nodiscard]] RoundRecord message(const std::string& client, std::string_view who, std::size_t filler = 0) const;
    [[nodiscard]] RoundRecord bye(const std::string& client) const;

    /// A record of it was written, and perhaps nothing more.
    void tried(const RoundRecord& record);
    /// It was decided, by the time of `events`.
    void decided(const RoundRecord& record, std::size_t events);

    [[nodiscard]] std::uint64_t rounds() const { return decided_; }
    [[nodiscard]] const Sessions& sessions() const { return sessions_.back(); }
    [[nodiscard]] Snapshot snapshot() const;
    [[nodiscard]] const std::string& start() const { return start_; }

    /// Goes through output.txt after a recovery that found `rounds`, after a cut behind `events` events: the text of
    /// each is there, at its place where it was vouched for, and nothing else but blanks that power cuts left. From now
    /// on the book is about what was found.
    void found(std::string_view output, std::uint64_t rounds, std::uint64_t vouched, std::size_t events);

private:
    struct Try {
        RoundRecord record;
        std::optional<std::size_t> decided;  ///< by the time of so many events
        std::optional<std::uint64_t> offset;
    };
    [[nodiscard]] RoundRecord next() const;
    void keep(Try kept);

    std::string start_;
    std::vector<std::vector<Try>> tries_;  ///< of round 1, 2, ...
    std::uint64_t decided_ = 0;
    std::uint64_t end_ = start_.size();   ///< of the output
    std::vector<Sessions> sessions_{{}};  ///< after round 0, 1, ...
    std::uint64_t sequence_ = 0;
};

void take_changes(Sessions& sessions, const std::vector<SessionChange>& changes);

}  // namespace anel::test

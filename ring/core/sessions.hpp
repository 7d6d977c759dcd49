// What the ledger knows of every client id, as of the last round this node applied.
#pragma once

#include <list>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ring/core/ledger.hpp"

namespace anel {

/// The session table. Every node has it whole; it changes by decided rounds alone.
/// Invariants: 1. one entry a client id; 2. the order of the list is the order of last changes, idlest first.
class SessionTable {
public:
    using Entry = std::pair<std::string, Session>;

    [[nodiscard]] const Session* find(std::string_view client_id) const;
    [[nodiscard]] std::size_t size() const { return by_id_.size(); }
    /// Idlest first. Used to choose who retires, and for checkpoints.
    [[nodiscard]] const std::list<Entry>& by_idleness() const { return entries_; }
    /// The sessions of nodes' own clients, a handful.
    [[nodiscard]] const std::set<std::string>& anonymous() const { return anonymous_; }

    void apply(const SessionChange& change);
    void reset(const Snapshot& snapshot);

private:
    std::list<Entry> entries_;
    std::set<std::string> anonymous_;
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_id_;  ///< keys point into entries_
};

}  // namespace anel

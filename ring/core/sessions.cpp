#include "ring/core/sessions.hpp"

#include "common/client_protocol.hpp"

namespace anel {

const Session* SessionTable::find(std::string_view client_id) const {
    const auto found = by_id_.find(client_id);
    return found == by_id_.end() ? nullptr : &found->second->second;
}

void SessionTable::apply(const SessionChange& change) {
    const auto found = by_id_.find(change.client_id);
    if (found == by_id_.end()) {
        if (!change.session) return;
        entries_.emplace_back(change.client_id, *change.session);
        by_id_.emplace(entries_.back().first, std::prev(entries_.end()));
        if (change.client_id.starts_with(anonymous_prefix)) anonymous_.insert(change.client_id);
        return;
    }
    const auto entry = found->second;
    if (!change.session) {
        anonymous_.erase(change.client_id);
        by_id_.erase(found);
        entries_.erase(entry);
        return;
    }
    entry->second = *change.session;
    entries_.splice(entries_.end(), entries_, entry);
}

void SessionTable::reset(const Snapshot& snapshot) {
    anonymous_.clear();
    by_id_.clear();
    entries_.clear();
    for (const auto& [client_id, session] : snapshot.sessions) apply({client_id, session, {}});
}

}  // namespace anel

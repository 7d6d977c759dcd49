#include "ring/ledger/audit_sessions.hpp"

#include <fmt/format.h>

namespace anel {
namespace {

std::optional<std::string> fault_of(const SessionChange& change, const Session& now, const Session* before, Round round,
                                    Sequence last) {
    const auto& client = change.client_id;
    if (now.birth > round || now.sequence > last || now.round > round) {
        return fmt::format("client {} is said to be ahead of the round", client);
    }
    if (!change.each.empty() && change.each.back() > last) {
        return fmt::format("client {} has a message behind the round", client);
    }
    if (!before) {
        return std::nullopt;
    }
    if (now.birth < before->birth || (now.birth == before->birth && now.instance != before->instance)) {
        return fmt::format("client {} has an older birth, or another instance of the same birth", client);
    }
    if (now.last < before->last || now.sequence < before->sequence) {
        return fmt::format("client {} goes back from message {} to {}", client, before->last.value, now.last.value);
    }
    if ((now.last > before->last) != (now.sequence > before->sequence)) {
        return fmt::format("client {} has new messages without a new sequence", client);
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> SessionAudit::take(Round round, Sequence first, std::uint64_t count,
                                              const std::vector<SessionChange>& changes) {
    const Sequence last{first.value + count - 1};
    std::uint64_t written = 0;
    bool all_known = true;
    for (const auto& change : changes) {
        const auto known = table_.find(change.client_id);
        const Session* before = known != table_.end() && known->second ? &*known->second : nullptr;
        if (change.session) {
            if (auto fault = fault_of(change, *change.session, before, round, last)) {
                return fault;
            }
            const std::uint64_t from = before ? before->last.value : 0;
            all_known = all_known && (before || known != table_.end() || complete_);
            written += change.session->last.value - from;
            if (before && !change.each.empty() && change.each.size() != change.session->last.value - from) {
                return fmt::format("client {} has {} messages and {} sequences", change.client_id,
                                   change.session->last.value - from, change.each.size());
            }
        } else {
            all_known = false;  // it may have written in the round that retired it
        }
        table_[change.client_id] = change.session;
    }
    if (all_known) {
        ++counted_rounds_;
        if (written != count) {
            return fmt::format("it has {} messages, its clients went on by {}", count, written);
        }
    }
    return std::nullopt;
}

std::optional<std::string> SessionAudit::compare(const Snapshot& snapshot) {
    std::map<std::string_view, const Session*> theirs;
    for (const auto& [client, session] : snapshot.sessions) {
        theirs.emplace(client, &session);
    }
    for (const auto& [client, session] : table_) {
        const auto found = theirs.find(client);
        if ((found != theirs.end()) != session.has_value() || (session && !(*found->second == *session))) {
            return fmt::format("checkpoint {} and the journal differ about client {}", snapshot.round.value, client);
        }
    }
    for (const auto& [client, session] : snapshot.sessions) {
        if (!table_.contains(client)) {
            if (complete_) {
                return fmt::format("checkpoint {} has client {}, the journal has not", snapshot.round.value, client);
            }
            table_.emplace(client, session);
        }
    }
    complete_ = true;
    return std::nullopt;
}

}  // namespace anel

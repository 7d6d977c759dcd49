#include "ring/core/round_builder.hpp"

#include <fmt/format.h>

#include <map>
#include <queue>
#include <string_view>
#include <tuple>

#include "ring/core/anonymous.hpp"
#include "ring/core/output_format.hpp"

namespace anel {
namespace {

/// A message that may enter the round, with the time and container that place it.
struct Item {
    Timestamp time = 0;  ///< raised
    NodeId rank;         ///< raised container
    NodeId container;    ///< the node that accepted it
    ClientSequence sequence;
    Message message;
};

/// A batch as one node has bid it.
struct Batch {
    NodeId container;
    PushRequest push;
};

/// What the bids hold of one client.
struct ClientShare {
    const Session* session = nullptr;
    std::vector<Batch> batches;
    std::vector<Item> items;
    std::optional<Instance> hello;
    std::optional<Instance> bye;
    std::vector<Sequence> written;  ///< ledger sequences, for anonymous sessions
    Sequence last_written;
};

using Shares = std::map<std::string_view, ClientShare>;

class Builder {
public:
    Builder(const Context& context, const View& view) : context_{context}, view_{view} {
        record_.round = context.tip.round.next();
        record_.first = context.tip.sequence.next();
        record_.wall_us = std::max(context.now.wall_us, context.tip.wall_us);
        sessions_after_ = context.sessions.size();
    }

    std::optional<RoundRecord> build(std::vector<Bid> bids) {
        std::sort(bids.begin(), bids.end(), [](const Bid& left, const Bid& right) { return left.node < right.node; });
        for (const auto& bid : bids) read(bid);
        for (auto& [client_id, share] : shares_) settle(share);
        write_in_order();
        change_sessions();
        if (record_.changes.empty()) return std::nullopt;
        retire_replaced_nodes();
        return std::move(record_);
    }

private:
    void read(const Bid& bid) {
        std::size_t chunk = 0;
        std::size_t offset = 0;
        for (const auto& entry : bid.entries) {
            while (chunk < bid.chunks.size() && offset == bid.chunks[chunk].size()) {
                ++chunk;
                offset = 0;
            }
            if (chunk == bid.chunks.size() || entry.bytes > bid.chunks[chunk].size() - offset) return;
            const auto frame = bid.chunks[chunk].bytes().subspan(offset, entry.bytes);
            offset += entry.bytes;
            const auto request = decode_taken(frame);
            if (request) read(bid.node, entry, *request);
        }
    }

    void read(NodeId container, const BidEntry& entry, const ClientRequest& request) {
        std::visit(Overloaded{
                       [&](const PushRequest& push) { read(container, entry, push); },
                       [&](const HelloRequest& hello) {
                           auto& share = share_of(hello.client_id);
                           // A hello that slept since it was judged must not take a session from a newer instance.
                           const bool judged_by_this = entry.birth == (share.session ? share.session->birth : Round{});
                           if (!share.hello && hello.sent.value == 0 && judged_by_this) share.hello = hello.instance;
                       },
                       [&](const ByeRequest& bye) {
                           auto& share = share_of(bye.client_id);
                           const auto* session = share.session;
                           if (session && session->instance == bye.instance && session->birth == entry.birth) {
                               share.bye = bye.instance;
                           }
                       },
                       [&](const StatusRequest&) {},
                   },
                   request);
    }

    void read(NodeId container, const BidEntry& entry, const PushRequest& push) {
        auto& share = share_of(push.client_id);
        const auto* session = share.session;
        if (!session || session->birth != entry.birth || session->instance != push.instance) return;
        if (push.first <= session->inherited) return;  // those numbers are another instance's messages
        share.batches.push_back({container, push});
    }

    ClientShare& share_of(std::string_view client_id) {
        const auto found = shares_.find(client_id);
        if (found != shares_.end()) return found->second;
        // The key must outlive the decoded request; the names are few, the messages are many.
        names_.emplace_back(client_id);
        auto& share = shares_[names_.back()];
        share.session = context_.sessions.find(client_id);
        return share;
    }

    /// The messages that are not written yet. Who took a batch has checked it; if it cannot be read, none of it counts.
    static void list(ClientShare& share) {
        std::size_t count = 0;
        for (const auto& batch : share.batches) count += batch.push.count;
        share.items.reserve(count);
        for (const auto& [container, push] : share.batches) {
            const auto before = share.items.size();
            auto sequence = push.first;
            MessageReader reader{push};
            for (; const auto message = reader.try_next(); sequence = sequence.next()) {
                if (sequence <= share.session->last) continue;
                share.items.push_back({message->timestamp, container, container, sequence, *message});
            }
            if (!reader.done()) share.items.resize(before);
        }
    }

    /// Repeats out, the copy of the lowest container stays; nothing behind a gap; then raise.
    static void settle(ClientShare& share) {
        list(share);
        auto& items = share.items;
        if (items.empty()) return;
        const auto by_sequence = [](const Item& left, const Item& right) {
            return std::tie(left.sequence, left.container) < std::tie(right.sequence, right.container);
        };
        if (!std::is_sorted(items.begin(), items.end(), by_sequence)) {
            std::stable_sort(items.begin(), items.end(), by_sequence);
        }
        auto expected = share.session->last.next();
        std::size_t taken = 0;
        for (std::size_t index = 0; index < items.size(); ++index) {
            if (items[index].sequence < expected) continue;
            if (items[index].sequence > expected) break;
            if (taken != index) items[taken] = items[index];
            ++taken;
            expected = expected.next();
        }
        items.resize(taken);
        for (std::size_t index = 1; index < taken; ++index) {
            const auto& before = items[index - 1];
            auto& item = items[index];
            if (std::tie(item.time, item.rank) < std::tie(before.time, before.rank)) {
                item.time = before.time;
                item.rank = before.rank;
            }
        }
    }

    /// Each client's items are in order already; merges them by (time, rank, client id).
    void write_in_order() {
        struct Run {
            Shares::iterator share;
            std::size_t next = 0;
            [[nodiscard]] const Item& item() const { return share->second.items[next]; }
        };
        const auto later = [](const Run& left, const Run& right) {
            return std::tie(left.item().time, left.item().rank, left.share->first) >
                   std::tie(right.item().time, right.item().rank, right.share->first);
        };
        std::priority_queue<Run, std::vector<Run>, decltype(later)> runs{later};
        std::size_t bytes = 64;
        for (auto share = shares_.begin(); share != shares_.end(); ++share) {
            for (const auto& item : share->second.items) bytes += item.message.payload.size() + 32;
            if (!share->second.items.empty()) runs.push({share});
        }
        record_.text.reserve(bytes);
        while (!runs.empty()) {
            auto run = runs.top();
            runs.pop();
            // Stay with one client as long as it is its turn: the common case is one long run.
            do {
                write(run.share, run.item());
                ++run.next;
            } while (run.next < run.share->second.items.size() && (runs.empty() || later(runs.top(), run)));
            if (run.next < run.share->second.items.size()) runs.push(run);
        }
        if (record_.count > 0) append_round_end(record_.text, context_.config.format);
    }

    void write(Shares::iterator share, const Item& item) {
        const Sequence sequence{record_.first.value + record_.count};
        ++record_.count;
        append_message(record_.text, context_.config.format,
                       {item.container, share->first, item.sequence, sequence, record_.round, item.message});
        share->second.last_written = sequence;
        if (share->first.starts_with(anonymous_prefix)) share->second.written.push_back(sequence);
    }

    void change_sessions() {
        for (auto& [client_id, share] : shares_) {
            SessionChange change{std::string{client_id}, std::nullopt, std::move(share.written)};
            if (share.session) change.session = *share.session;
            if (!share.items.empty()) {
                change.session->last = share.items.back().sequence;
                change.session->sequence = share.last_written;
            }
            bool changed = !share.items.empty();
            if (share.hello && greet(share, change)) changed = true;
            if (share.bye && change.session && change.session->instance == *share.bye) {
                change.session.reset();
                --sessions_after_;
                changed = true;
            }
            if (!changed) continue;
            if (change.session) {
                change.session->round = record_.round;
                change.session->wall_us = record_.wall_us;
            }
            record_.changes.push_back(std::move(change));
        }
    }

    /// A hello without earlier messages creates the session or gives it another instance. @return changed.
    bool greet(const ClientShare& share, SessionChange& change) {
        if (change.session) {
            if (change.session->instance == *share.hello) return false;
            change.session->instance = *share.hello;
            change.session->birth = record_.round;
            change.session->inherited = change.session->last;
            return true;
        }
        if (sessions_after_ >= context_.config.sessions && !retire_idlest()) return false;
        ++sessions_after_;
        change.session = Session{*share.hello, record_.round, {}, {}, record_.round, record_.wall_us, {}};
        return true;
    }

    /// Makes place for one session. Who has something in this round is not idle.
    bool retire_idlest() {
        for (; idle_ != context_.sessions.by_idleness().end(); ++idle_) {
            const auto& [client_id, session] = *idle_;
            if (record_.wall_us - session.wall_us < context_.config.session_idle_us) return false;
            if (shares_.contains(client_id)) continue;
            record_.changes.push_back({client_id, std::nullopt, {}});
            --sessions_after_;
            ++idle_;
            return true;
        }
        return false;
    }

    /// The anonymous session of an incarnation that can bid no more, because a newer one was admitted, ends.
    void retire_replaced_nodes() {
        for (const auto& client_id : context_.sessions.anonymous()) {
            const auto retired_already = [&](const SessionChange& change) { return change.client_id == client_id; };
            if (std::any_of(record_.changes.begin(), record_.changes.end(), retired_already)) continue;
            for (const auto& member : view_.members) {
                const bool of_this_node =
                    client_id.starts_with(fmt::format("{}{}:", anonymous_prefix, member.id.value));
                if (of_this_node && client_id != anonymous_client_id(member.id, member.incarnation)) {
                    record_.changes.push_back({client_id, std::nullopt, {}});
                }
            }
        }
    }

    const Context& context_;
    const View& view_;
    RoundRecord record_;
    std::list<std::string> names_;
    Shares shares_;
    std::size_t sessions_after_ = 0;
    std::list<SessionTable::Entry>::const_iterator idle_ = context_.sessions.by_idleness().begin();
};

}  // namespace

std::optional<RoundRecord> build_round(const Context& context, const View& view, std::vector<Bid> bids) {
    return Builder{context, view}.build(std::move(bids));
}

}  // namespace anel

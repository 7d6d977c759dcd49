// The checkers: they stand outside, see every decision, answer and token, and share no code with the core.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/client_protocol.hpp"
#include "ring/core/messages.hpp"
#include "tests/simulation/classic_reader.hpp"
#include "tests/simulation/volume.hpp"

namespace anel::simulation {

/// A message as its client made it. Payloads are unique, so a payload names its message.
struct PushedMessage {
    std::string client_id;  ///< empty: plain text, anonymous
    Instance instance;
    ClientSequence sequence;
    Timestamp timestamp = 0;
    std::set<NodeId> nodes;  ///< where copies were sent to
};

class Judge final : public VolumeWatch {
public:
    Judge(World& world, SimVolume& volume) : world_{world}, volume_{volume} { volume.watch = this; }

    // --- what clients do and hear ----------------------------------------------------------------
    void pushed(const std::string& payload, const PushedMessage& message, NodeId to);
    /// The client of `payload` was told that it is durable.
    void acked(const std::string& payload);
    void acked_as(const std::string& payload, const Ack& ack) const;
    void text_acked(const std::string& payload, Sequence sequence);
    /// The client says that its session may end.
    void said_bye(const std::string& client_id, Instance instance) { leaving_.insert({client_id, instance}); }
    void byed(const std::string& client_id, Instance instance) const;

    // --- what nodes do ---------------------------------------------------------------------------
    void replied(NodeId node, const ClientReply& reply) const;
    void token_sent(Process process, const Token& token);
    void vouched(NodeId node, Round round) const;
    void granted(NodeId node, const Grant& grant);
    void snapshot_taken(NodeId node, const Snapshot& snapshot) const;

    // --- what happens on the volume --------------------------------------------------------------
    void record_written(Process process, const SimSegment& segment, const SimRecord& record) override;
    void decided(Process process, const SimSegment& segment, const SimRecord& record) override;
    void checkpointed(const Snapshot& snapshot) override;
    void power_was_cut() override;

    /// For worlds of very many rounds: what came before is right, and nobody asks for it any more.
    void forget_below(Round round);
    /// All is quiet: the file is what was decided, and everything acked is in it.
    void check_end() const;

private:
    using Sessions = std::map<std::string, Session>;
    struct WrittenMessage {
        Round round;
        Sequence sequence;
    };
    struct DecidedRound {
        RoundRecord record;
        std::uint64_t offset = 0;
        bool may_leave_gap = false;  ///< blanks may stand before it, from a reboot
        std::vector<PrintedMessage> messages;
    };

    void add(const SimSegment& segment, const SimRecord& record);
    void check_numbers(const SimSegment& segment, const SimRecord& record) const;
    void check_messages(const DecidedRound& round) const;
    void check_order(const DecidedRound& round) const;
    void check_changes(const DecidedRound& round, Sessions& sessions) const;
    void check_end_of_session(const DecidedRound& round, const std::string& client_id, const Session& session) const;
    void check_anonymous(const DecidedRound& round) const;
    void check_acked_written() const;
    static void apply(const RoundRecord& record, Sessions& sessions);
    [[nodiscard]] const PushedMessage& known(const std::string& payload) const;
    [[nodiscard]] std::uint64_t newest_round() const { return forgotten_ + rounds_.size(); }
    [[nodiscard]] const PrintedMessage* at(Sequence sequence, Round& round) const;

    World& world_;
    SimVolume& volume_;
    std::unordered_map<std::string, PushedMessage> pushed_;
    std::unordered_map<std::string, WrittenMessage> written_;
    std::set<std::string> acked_;
    std::vector<DecidedRound> rounds_;  ///< behind those forgotten
    std::uint64_t forgotten_ = 0;
    Sequence forgotten_sequence_;
    std::uint64_t forgotten_bytes_ = 0;
    Sessions forgotten_sessions_;
    Sessions sessions_;
    std::map<std::pair<std::string, Instance>, Round> retired_;
    mutable Round vouched_;
    std::set<Epoch> granted_;
    std::map<std::pair<Epoch, Hop>, Process> hops_;
    std::set<std::pair<std::string, Instance>> leaving_;
};

}  // namespace anel::simulation

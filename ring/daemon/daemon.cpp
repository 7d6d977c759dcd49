#include "ring/daemon/daemon.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "ring/daemon/clock.hpp"

namespace anel {
namespace {

// Of clients, in one turn; then links and control have theirs.
constexpr std::size_t client_frames_per_turn = 64;
constexpr std::size_t client_bytes_per_turn = 4 * 1024 * 1024;
/// No status request is longer, however its sender packs it.
constexpr std::size_t status_request_bytes_max = 32;
constexpr std::chrono::milliseconds last_words{200};

std::optional<std::chrono::milliseconds> time_until(std::optional<Instant> wakeup, Instant now) {
    if (!wakeup) return std::nullopt;
    constexpr std::chrono::milliseconds longest{3'600'000};
    return std::clamp(std::chrono::ceil<std::chrono::milliseconds>(*wakeup - now), std::chrono::milliseconds{0},
                      longest);
}

}  // namespace

Daemon::Daemon(Parts parts, NodeId self, limits::ClientLimits limits, Texts texts)
    : parts_{parts}, self_{self}, limits_{limits}, texts_{std::move(texts)}, observer_{self} {}

Ending Daemon::run() {
    step(Ticked{});
    while (!ending_) take_turn();
    if (ending_->exit_code == 0) parts_.transport.finish(last_words);
    return *ending_;
}

void Daemon::take_turn() {
    parts_.transport.wait(time_until(parts_.node.next_wakeup(), steady_now()),
                          {{parts_.signals.descriptor(), &ready_.signals},
                           {parts_.syncs.descriptor(), &ready_.syncs},
                           {parts_.questions.descriptor(), &ready_.questions}});
    if (ready_.signals && parts_.signals.take()) step(LeaveAsked{});
    if (ready_.syncs) {
        for (const auto& result : parts_.syncs.take()) {
            if (!result) return end(result.error());
            step(BecameDurable{*result});
        }
    }
    arrived_.clear();
    parts_.transport.receive_from_ring(arrived_, steady_now());
    for (auto& input : arrived_) step(std::move(input));
    if (!ending_ && parts_.transport.id_is_taken()) {
        ending_ = Ending{exit_id_taken,
                         fmt::format("id = {}: another process with this id answers in the ring; allowed is an id "
                                     "that no running node has",
                                     self_.value)};
    }
    // After what had arrived: it may be just what a time-out was for.
    if (const auto wakeup = parts_.node.next_wakeup(); wakeup && *wakeup <= steady_now()) step(Ticked{});
    take_clients();
    observer_.saw(parts_.transport.guard_counters(), steady_now());
    if (parts_.transport.figures_asked()) parts_.transport.tell_figures(texts_.figures(report()));
    if (ready_.questions) {
        const auto now = report();
        for (const auto& question : parts_.questions.take()) question(now);
    }
}

void Daemon::take_clients() {
    if (!parts_.transport.clients_waiting()) return;
    std::size_t bytes = 0;
    for (std::size_t count = 0; count < client_frames_per_turn && bytes < client_bytes_per_turn && !ending_; ++count) {
        auto arrived = parts_.transport.next_from_client();
        if (!arrived) return;
        bytes += arrived->frame.size();
        if (!answer_status(*arrived)) step(std::move(*arrived));
    }
}

bool Daemon::answer_status(const ClientArrived& arrived) {
    const auto frame = arrived.frame.bytes();
    if (is_plain_text(frame) || frame.size() > status_request_bytes_max) return false;
    const auto request = decode_request(frame, limits_);
    if (!request || !std::holds_alternative<StatusRequest>(*request)) return false;
    parts_.transport.perform(ReplyClient{arrived.connection, StatusReply{texts_.status(report())}});
    return true;
}

Report Daemon::report() const {
    return {parts_.node.status(),
            observer_.counters(),
            observer_.histograms(),
            observer_.token(),
            observer_.views(),
            parts_.transport.link_counters(),
            parts_.transport.control_counters(),
            parts_.transport.client_counters(),
            parts_.transport.guard_counters()};
}

void Daemon::step(Input input) {
    pending_.push_back(std::move(input));
    while (!pending_.empty() && !ending_) {
        auto next = std::move(pending_.front());
        pending_.pop_front();
        if (auto* arrived = std::get_if<ControlArrived>(&next);
            arrived != nullptr && std::holds_alternative<Call>(arrived->message)) {
            arrived->call_word = parts_.ledger.call_word(arrived->from);
        }
        if (auto* arrived = std::get_if<LinkArrived>(&next); arrived != nullptr) {
            if (auto* token = std::get_if<Token>(&arrived->message)) fetch_bids(*token, self_, parts_.bids);
        }
        const auto now = moment_now();
        observer_.saw(next, now);
        const bool look = observer_.may_change_view(next);
        auto actions = parts_.node.step(next, now);
        for (auto& action : actions) {
            observer_.saw(action, now);
            std::visit([this](auto& one) { perform(one); }, action);
            if (ending_) break;
        }
        if (look) observer_.after(parts_.node.status(), now);
    }
}

void Daemon::end(const Error& error) {
    if (!ending_) ending_ = ending_of(error);
}

void Daemon::perform(const SendControl& action) { parts_.transport.perform(action, steady_now()); }
void Daemon::perform(SendLink& action) {
    if (action.place_bid) place_bid(std::get<Token>(action.message), self_, parts_.bids);
    parts_.transport.perform(action);
}
void Daemon::perform(const BindLink& action) { pending_.emplace_back(parts_.transport.perform(action, steady_now())); }
void Daemon::perform(const SetCallWord& action) { parts_.ledger.set_call_word(self_, action.call); }

/// A candidate that was not granted an epoch hears which one the ledger has now.
void Daemon::refuse_grant(Round applied, bool disk_full) {
    const auto history = parts_.ledger.read(applied);
    if (!history) return end(history.error());
    pending_.emplace_back(GrantRefused{history->tip.epoch, disk_full});
}

void Daemon::perform(const AskGrant& action) {
    const auto grant = parts_.ledger.grant(action.highest_named);
    if (!grant) {
        switch (grant.error().code) {
            case ErrorCode::disk_full:
                spdlog::warn("no epoch can be granted: {}", grant.error().text);
                return refuse_grant(action.applied, true);
            case ErrorCode::newer_epoch:
            case ErrorCode::fenced: return refuse_grant(action.applied, false);
            default: return end(grant.error());
        }
    }
    auto history = parts_.ledger.read(action.applied);
    if (!history) return end(history.error());
    pending_.emplace_back(Granted{*grant, std::move(*history)});
}

void Daemon::perform(const CatchUp& action) {
    auto history = parts_.ledger.read(action.applied);
    if (!history) return end(history.error());
    pending_.emplace_back(CaughtUp{std::move(*history)});
}

void Daemon::perform(DecideRound& action) {
    const Round round = action.record.round;
    auto done = parts_.ledger.write_record(action.segment, std::move(action.record));
    if (done) done = parts_.ledger.decide(action.segment, round);
    if (done) {
        pending_.emplace_back(RoundDecided{});
    } else if (done.error().code == ErrorCode::fenced) {
        pending_.emplace_back(RoundRefused{DecideRefusal::fenced});
    } else if (done.error().code == ErrorCode::disk_full) {
        pending_.emplace_back(RoundRefused{DecideRefusal::disk_full});
    } else if (done.error().code == ErrorCode::output_full) {
        // NOLINTNEXTLINE(bugprone-use-after-move): nothing was written, so it is as it was
        pending_.emplace_back(OutputFull{std::move(action.record)});
    } else {
        end(done.error());
    }
}

void Daemon::perform(const WriteOutput& action) {
    if (const auto written = parts_.ledger.write_output(action.round); !written) return end(written.error());
    pending_.emplace_back(OutputWritten{});
}

void Daemon::perform(const MakeDurable& action) { parts_.ledger.sync(action.segment, action.round); }

void Daemon::perform(const RotateSegment& action) {
    const auto rotated = parts_.ledger.rotate(action.current, action.last, action.new_output);
    if (rotated) {
        pending_.emplace_back(Rotated{*rotated});
    } else if (rotated.error().code == ErrorCode::fenced) {
        pending_.emplace_back(RotationFenced{});
    } else if (rotated.error().code == ErrorCode::disk_full) {
        spdlog::warn("no new segment can be made: {}", rotated.error().text);
        pending_.emplace_back(RoundRefused{DecideRefusal::disk_full});
    } else {
        end(rotated.error());
    }
}

void Daemon::perform(const WriteCheckpoint&) { parts_.ledger.checkpoint(parts_.node.snapshot()); }

void Daemon::perform(const ReadWords& action) {
    const auto words = parts_.ledger.words(action.segment);
    if (!words) return end(words.error());
    pending_.emplace_back(WordsRead{action.segment, *words});
}

void Daemon::perform(const Stop&) { ending_ = Ending{}; }

}  // namespace anel

// How a host performs each action; blocking ones in small steps, between which anything may happen.
#include <fmt/format.h>

#include "tests/simulation/host.hpp"
#include "tests/traces/print.hpp"

namespace anel::simulation {

using namespace std::chrono_literals;

Duration Host::disk(std::int64_t at_most_us) { return world_.random.between(Duration{1}, Duration{at_most_us}); }

void Host::perform(const Action& action) {
    world_.tell([&] { return fmt::format("node {} -> {}", self_.value, print(action)); });
    std::visit(Overloaded{
                   [&](const SendControl& send) { perform_send(send); },
                   [&](const BindLink& bind) {
                       const bool none = world_.fault(world_.plan.no_port, Fault::link_without_port);
                       outcomes_.push_back(LinkBound{bind.link, none ? "" : network_.bind(self_, bind.link)});
                   },
                   [&](const ConnectLink& connect) { network_.connect(self_, connect.link, connect.address); },
                   [&](const CloseLink& close) { network_.close(self_, close.link); },
                   [&](const SendLink& send) { perform_link(send); },
                   [&](const ReplyClient& reply) {
                       judge_.replied(node_id_, reply.reply);
                       mail_.reply(reply.connection, reply.reply);
                   },
                   [&](const SetCallWord& set) { ledger_->set_call_word(node_id_, set.call); },
                   [&](const AskGrant& ask) { ask_grant(ask); },
                   [&](const CatchUp& catch_up) {
                       world_.count("catch-ups");
                       read_then(catch_up.applied, [this](History history) { finish(CaughtUp{std::move(history)}); });
                   },
                   [&](const DecideRound& round) { decide(round); },
                   [&](const WriteOutput& write) { write_output(write.round); },
                   [&](const MakeDurable& make) { make_durable(make); },
                   [&](const RotateSegment& segment) { rotate(segment); },
                   [&](const WriteCheckpoint&) {
                       world_.count("checkpoints asked");
                       checkpoint(node_->snapshot());
                   },
                   [&](const ReadWords& read) {
                       outcomes_.push_back(WordsRead{read.segment, *ledger_->words(read.segment)});
                   },
                   [&](const Stop&) {
                       world_.strike(Fault::left);
                       kill("it has left");
                       // After the faults everything that is down comes back, so that the ring has to become whole.
                       if (!world_.faults && self_ == first_process_of(node_id_))
                           world_.events.after(sync_time() * 20, [this] { start(); });
                   },
               },
               action);
}

void Host::perform_send(const SendControl& send) {
    if (const auto* notice = std::get_if<DurableNotice>(&send.message)) judge_.vouched(node_id_, notice->round);
    if (std::holds_alternative<ViewTold>(send.message)) world_.count("views told");
    network_.send_control(node_id_, incarnation_, send.to, send.message);
}

void Host::perform_link(SendLink send) {
    if (auto* token = std::get_if<Token>(&send.message)) {
        if (send.place_bid) place_bid(*token, node_id_, *this);
        judge_.token_sent(self_, *token);
        world_.count("tokens");
    }
    network_.send_link(self_, send.link, send.message);
}

/// Another process of this id has the same place.
bool Host::put(std::span<const Blob> chunks) {
    if (volume_.disk_full) return false;
    auto& place = volume_.bids[node_id_];
    place.clear();
    for (const auto& chunk : chunks) place.insert(place.end(), chunk.bytes().begin(), chunk.bytes().end());
    world_.count("bids placed");
    if (world_.fault(world_.plan.bid_spoilt, Fault::bid_spoilt)) {
        if (world_.random.chance(0.5)) place.resize(world_.random.below(place.size()));
        else place[world_.random.below(place.size())] ^= std::byte{1};
    }
    return true;
}

Blob Host::get(NodeId node, std::size_t bytes) {
    const auto& place = volume_.bids[node];
    return Blob::copy(BytesView{place}.first(std::min(bytes, place.size())));
}

void Host::read_then(Round applied, std::function<void(History)> then) {
    busy_ = true;
    disk_step(disk(300), [this, applied, then = std::move(then)] {
        auto history = ledger_->read(applied);
        if (history->snapshot && applied.value > 0) world_.strike(Fault::overtaken_by_trimming);
        disk_step(disk(300), [then, history = std::move(*history)] { then(history); });
    });
}

void Host::refuse_grant(bool disk_full) {
    world_.count("grants refused");
    world_.candidates.erase(self_);
    finish(GrantRefused{ledger_->newest_epoch(), disk_full});
}

void Host::ask_grant(const AskGrant& ask) {
    busy_ = true;
    world_.count("grants asked");
    if (!world_.candidates.empty()) world_.strike(Fault::two_candidates);
    world_.candidates.insert(self_);
    grant_step(Fault::killed_before_seal, disk(200), [this, ask] {
        if (volume_.disk_full) {
            world_.strike(Fault::disk_full_segment);
            return refuse_grant(true);
        }
        if (world_.fault(world_.plan.grant_failure, Fault::grant_failed)) return kill("no segment can be made");
        const auto sealed = ledger_->seal_for_grant(ask.highest_named);
        if (!sealed) return refuse_grant();
        grant_step(Fault::killed_sealed, disk(100), [this, ask, succession = *sealed] {
            sync_sealed(succession, [this, ask](const Succession& prepared) {
                grant_step(Fault::killed_before_link, disk(500), [this, ask, prepared] {
                    if (!ledger_->link(prepared)) return refuse_grant();
                    grant_step(Fault::killed_linked, sync_time(), [this, ask, prepared] { granted(ask, prepared); });
                });
            });
        });
    });
}

void Host::granted(const AskGrant& ask, const Succession& succession) {
    if (!ledger_->confirm(succession)) return refuse_grant();
    world_.count("grants");
    const Grant grant{succession.epoch, succession.next->number};
    judge_.granted(node_id_, grant);
    grant_step(Fault::killed_granted, disk(100), [this, ask, grant] {
        world_.candidates.erase(self_);
        read_then(ask.applied, [this, grant](History history) { finish(Granted{grant, std::move(history)}); });
    });
}

/// What was sealed becomes durable and written; only then the next segment may have a name.
void Host::sync_sealed(Succession succession, std::function<void(Succession)> then) {
    if (!succession.sealed) {
        ledger_->prepare(succession);
        return then(succession);
    }
    const auto job = ledger_->begin_sync_of_sealed(succession);
    start_sync(job, [this, job, succession, then = std::move(then)]() mutable {
        SimLedger::raise_durable(job);
        disk_step(disk(100), [this, succession, then = std::move(then)]() mutable {
            ledger_->prepare(succession);
            then(succession);
        });
    });
}

void Host::decide(const DecideRound& round) {
    busy_ = true;
    disk_step(disk(50), [this, round] {
        if (const auto written = ledger_->write_record(round.segment, RoundRecord{round.record}); !written) {
            if (written.error().code == ErrorCode::output_full) return finish(OutputFull{round.record});
            const bool full = written.error().code == ErrorCode::disk_full;
            world_.strike(full ? Fault::disk_full_record : Fault::fenced);
            return finish(RoundRefused{full ? DecideRefusal::disk_full : DecideRefusal::fenced});
        }
        disk_step(disk(50), [this, round] {
            if (ledger_->decide(round.segment, round.record.round)) return finish(RoundDecided{});
            world_.strike(Fault::fenced);
            finish(RoundRefused{DecideRefusal::fenced});
        });
    });
}

void Host::write_output(Round round) {
    busy_ = true;
    disk_step(disk(50), [this, round] {
        // A decided round that cannot be written: the node says why and leaves; the next holder writes it.
        if (world_.fault(world_.plan.output_failure, Fault::output_write_failed)) return kill("the output failed");
        if (world_.fault(world_.plan.output_half, Fault::output_half_written)) {
            ledger_->write_output_half(round);
            return kill("within the write of the output");
        }
        if (const auto written = ledger_->write_output(round); !written) throw Violation{written.error().text};
        disk_step(disk(20), [this] { finish(OutputWritten{}); });
    });
}

void Host::rotate(const RotateSegment& rotate) {
    busy_ = true;
    disk_step(disk(50), [this, rotate] {
        if (volume_.disk_full) {
            world_.strike(Fault::disk_full_segment);
            return finish(RoundRefused{DecideRefusal::disk_full});
        }
        const auto sealed = ledger_->seal_for_rotation(rotate.current, rotate.last, rotate.new_output);
        if (!sealed) return finish(RotationFenced{});
        sync_sealed(*sealed, [this](const Succession& prepared) {
            disk_step(disk(500), [this, prepared] {
                if (!ledger_->link(prepared)) return finish(RotationFenced{});
                disk_step(sync_time(), [this, prepared] {
                    if (!ledger_->confirm(prepared)) return finish(RotationFenced{});
                    world_.strike(Fault::rotated);
                    disk_step(disk(500), [this, prepared] { enter_output(prepared.next); });
                });
            });
        });
    });
}

void Host::enter_output(const SharedSegment& segment) {
    ledger_->turn_output(*segment);
    if (!segment->output.tag) return finish(Rotated{segment->number});
    disk_step(sync_time(), [this, segment] {
        volume_.sync_output_name();
        finish(Rotated{segment->number});
    });
}

void Host::make_durable(const MakeDurable& make) {
    next_sync_ = make;
    if (!syncing_) begin_sync();
}

void Host::end_by_disk(Fault kind) {
    world_.strike(kind);
    kill(name_of(kind));
    if (!world_.faults && self_ == first_process_of(node_id_)) world_.events.after(100ms, [this] { start(); });
}

/// The kernel goes on with a sync whether the process lives or not; a process whose sync failed ends.
void Host::start_sync(const SyncJob& job, std::function<void()> then) {
    const auto took = sync_time();
    const bool fails = world_.fault(world_.plan.sync_failure);
    const auto done = std::make_shared<bool>(false);
    world_.events.after(took, [this, job, boot = volume_.boot(), fails, done] {
        if (boot != volume_.boot()) return;
        if (fails) SimLedger::fail_sync(job);
        else *done = SimLedger::finish_sync(job);
    });
    later(took, [this, done, then = std::move(then)] {
        if (*done) return then();
        end_by_disk(Fault::sync_failed);
    });
}

/// One sync at a time; those asked for meanwhile become one.
void Host::begin_sync() {
    const auto make = *std::exchange(next_sync_, std::nullopt);
    const auto job = ledger_->begin_sync(make.segment, make.round);
    // A segment that is gone has a successor, whose maker made all before it durable.
    if (!job) return inbox_.push_back(BecameDurable{make.round});
    syncing_ = true;
    start_sync(*job, [this, job = *job] {
        syncing_ = false;
        SimLedger::raise_durable(job);
        world_.count("syncs");
        inbox_.push_back(BecameDurable{job.round});
        if (next_sync_) begin_sync();
        run();
    });
}

/// On a thread of its own, which may be slow; in the meantime others make later ones and trim.
void Host::checkpoint(Snapshot snapshot) {
    judge_.snapshot_taken(node_id_, snapshot);
    const bool late = world_.fault(world_.plan.late_checkpoint);
    const auto wait = late ? world_.random.between(10ms, Duration{2s}) : sync_time();
    later(wait, [this, snapshot = std::move(snapshot)] { sync_output_for(snapshot); });
}

void Host::sync_output_for(Snapshot snapshot) {
    if (snapshot.round > volume_.durable()) {
        return later(10ms, [this, snapshot = std::move(snapshot)] { sync_output_for(snapshot); });
    }
    const auto position = ledger_->position_of(snapshot);
    if (!position) return;
    const auto sync = ledger_->begin_output_sync(snapshot.round);
    const auto took = sync_time();
    const bool fails = world_.fault(world_.plan.sync_failure);
    const auto done = std::make_shared<bool>(false);
    world_.events.after(took, [this, sync, boot = volume_.boot(), fails, done] {
        if (boot != volume_.boot()) return;
        if (fails) volume_.output.fail_sync(sync);
        else *done = volume_.output.finish_sync(sync);
    });
    later(took, [this, snapshot = std::move(snapshot), position = *position, done] {
        if (*done) return link_checkpoint(snapshot, position);
        end_by_disk(Fault::output_sync_failed);
    });
}

void Host::link_checkpoint(const Snapshot& snapshot, const Position& position) {
    const bool late = world_.fault(world_.plan.late_checkpoint);
    const auto wait = [this, late] { return late ? world_.random.between(10ms, Duration{1s}) : sync_time(); };
    later(wait(), [this, snapshot, position, wait] {
        // The journal stays longer; the next checkpoint tries again.
        if (volume_.disk_full) return world_.strike(Fault::disk_full_checkpoint);
        ledger_->link_checkpoint(snapshot, position);
        later(wait(), [this, round = snapshot.round] {
            volume_.trim_below(round);
            world_.count("checkpoints");
        });
    });
}

}  // namespace anel::simulation

// How a host performs each action; blocking ones in small steps, between which anything may happen.
#include <fmt/format.h>

#include "tests/simulation/host.hpp"
#include "tests/traces/print.hpp"

namespace anel::simulation {

Duration Host::disk(std::int64_t at_most_us) { return world_.random.between(Duration{1}, Duration{at_most_us}); }

void Host::perform(const Action& action) {
    world_.tell([&] { return fmt::format("node {} -> {}", self_.value, print(action)); });
    std::visit(Overloaded{
                   [&](const SendControl& send) { perform_send(send); },
                   [&](const BindLink& bind) {
                       const bool none = world_.fault(world_.plan.no_port);
                       outcomes_.push_back(LinkBound{bind.link, none ? "" : network_.bind(self_, bind.link)});
                   },
                   [&](const ConnectLink& connect) { network_.connect(self_, connect.link, connect.address); },
                   [&](const CloseLink& close) { network_.close(self_, close.link); },
                   [&](const SendLink& send) { perform_link(send); },
                   [&](const ReplyClient& reply) {
                       judge_.replied(self_, reply.reply);
                       mail_.reply(reply.connection, reply.reply);
                   },
                   [&](const SetCallWord& set) { ledger_->set_call_word(self_, set.call); },
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
                       world_.count("leaves");
                       kill("it has left");
                       // After the faults everything that is down comes back, so that the ring has to become whole.
                       if (!world_.faults) world_.events.after(sync_time() * 20, [this] { start(); });
                   },
               },
               action);
}

void Host::perform_send(const SendControl& send) {
    if (const auto* notice = std::get_if<DurableNotice>(&send.message)) judge_.vouched(self_, notice->round);
    if (std::holds_alternative<ViewTold>(send.message)) world_.count("views told");
    network_.send_control(self_, incarnation_, send.to, send.message);
}

void Host::perform_link(const SendLink& send) {
    if (const auto* token = std::get_if<Token>(&send.message)) {
        judge_.token_sent(self_, *token);
        world_.count("tokens");
    }
    network_.send_link(self_, send.link, send.message);
}

void Host::read_then(Round applied, std::function<void(History)> then) {
    busy_ = true;
    disk_step(disk(300), [this, applied, then = std::move(then)] {
        auto history = ledger_->read(applied);
        if (history->snapshot) world_.count("snapshots read");
        disk_step(disk(300), [then, history = std::move(*history)] { then(history); });
    });
}

void Host::refuse_grant() {
    world_.count("grants refused");
    finish(GrantRefused{ledger_->newest_epoch()});
}

void Host::ask_grant(const AskGrant& ask) {
    busy_ = true;
    world_.count("grants asked");
    disk_step(disk(200), [this, ask] {
        const auto sealed = ledger_->seal_for_grant(ask.highest_named);
        if (!sealed) return refuse_grant();
        disk_step(sync_time(), [this, ask, succession = *sealed] {
            ledger_->sync_sealed(succession);
            disk_step(disk(500), [this, ask, succession] {
                if (!ledger_->link(succession)) return refuse_grant();
                disk_step(sync_time(), [this, ask, succession] {
                    if (!ledger_->confirm(succession)) return refuse_grant();
                    ledger_->recover_output();
                    world_.count("grants");
                    const Grant grant{succession.next->epoch, succession.next->number};
                    judge_.granted(self_, grant);
                    read_then(ask.applied, [this, grant](History history) {
                        finish(Granted{grant, std::move(history)});
                    });
                });
            });
        });
    });
}

void Host::decide(const DecideRound& round) {
    busy_ = true;
    disk_step(disk(50), [this, round] {
        if (const auto written = ledger_->write_record(round.segment, round.record); !written) {
            const bool full = written.error().code == ErrorCode::disk_full;
            world_.count(full ? "disk full" : "fenced");
            return finish(RoundRefused{full ? DecideRefusal::disk_full : DecideRefusal::fenced});
        }
        disk_step(disk(50), [this, round] {
            if (ledger_->decide(round.segment, round.record.round)) return finish(RoundDecided{});
            world_.count("fenced");
            finish(RoundRefused{DecideRefusal::fenced});
        });
    });
}

void Host::write_output(Round round) {
    busy_ = true;
    disk_step(disk(50), [this, round] {
        // A decided round that cannot be written: the node says why and leaves; the next holder writes it.
        if (world_.fault(world_.plan.sync_failure)) return kill("output.txt cannot be written");
        if (const auto written = ledger_->write_output(round); !written) throw Violation{written.error().text};
        disk_step(disk(20), [this] { finish(OutputWritten{}); });
    });
}

void Host::rotate(const RotateSegment& rotate) {
    busy_ = true;
    disk_step(disk(50), [this, rotate] {
        const auto sealed = ledger_->seal_for_rotation(rotate.current, rotate.last);
        if (!sealed) return finish(RotationFenced{});
        disk_step(sync_time(), [this, succession = *sealed] {
            ledger_->sync_sealed(succession);
            disk_step(disk(500), [this, succession] {
                if (!ledger_->link(succession)) return finish(RotationFenced{});
                disk_step(sync_time(), [this, succession] {
                    if (!ledger_->confirm(succession)) return finish(RotationFenced{});
                    world_.count("rotations");
                    finish(Rotated{succession.next->number});
                });
            });
        });
    });
}

void Host::make_durable(const MakeDurable& make) {
    next_sync_ = make;
    if (!syncing_) begin_sync();
}

/// One sync at a time; those asked for meanwhile become one.
void Host::begin_sync() {
    const auto make = *std::exchange(next_sync_, std::nullopt);
    syncing_ = ledger_->begin_sync(make.segment, make.round);
    if (!syncing_) return;
    const auto boot = volume_.boot();
    const auto took = sync_time();
    const bool fails = world_.fault(world_.plan.sync_failure);
    // The kernel goes on with it whether the process lives or not.
    world_.events.after(took, [this, job = *syncing_, boot, fails] {
        if (boot == volume_.boot() && !fails) SimLedger::finish_sync(job);
    });
    later(took, [this, fails] {
        if (fails) return kill("fdatasync failed");
        const auto job = *std::exchange(syncing_, std::nullopt);
        SimLedger::raise_durable(job);
        world_.count("syncs");
        inbox_.push_back(BecameDurable{job.round});
        if (next_sync_) begin_sync();
        run();
    });
}

void Host::checkpoint(Snapshot snapshot) {
    judge_.snapshot_taken(self_, snapshot);
    const auto output_size = volume_.output.size();
    later(sync_time(), [this, snapshot = std::move(snapshot), output_size] {
        if (ledger_->finish_checkpoint(snapshot, output_size)) world_.count("checkpoints");
        else later(Duration{10'000}, [this, snapshot] { checkpoint(snapshot); });
    });
}

}  // namespace anel::simulation

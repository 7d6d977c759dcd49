#include "tests/simulation/fault_kinds.hpp"

namespace anel::simulation {

std::string_view name_of(Fault fault) {
    switch (fault) {
        case Fault::control_lost: return "control lost";
        case Fault::control_repeated: return "control repeated";
        case Fault::control_slow: return "control slow";
        case Fault::control_out_of_order: return "control out of order";
        case Fault::control_stale: return "control stale";
        case Fault::link_lost: return "link message lost";
        case Fault::link_repeated: return "link message repeated";
        case Fault::link_swapped: return "link messages swapped";
        case Fault::link_reset: return "link reset";
        case Fault::link_deaf: return "links deaf";
        case Fault::link_without_port: return "link without a port";
        case Fault::link_end_heard_late: return "link's end heard late";
        case Fault::link_stranger: return "stranger on a link";
        case Fault::partition: return "partition";
        case Fault::one_way_partition: return "one-way partition";
        case Fault::killed: return "killed";
        case Fault::killed_between_actions: return "killed between actions";
        case Fault::killed_in_disk_action: return "killed in a disk action";
        case Fault::killed_before_seal: return "candidate killed before its seal";
        case Fault::killed_sealed: return "candidate killed, sealed";
        case Fault::killed_before_link: return "candidate killed before its link";
        case Fault::killed_linked: return "candidate killed, linked";
        case Fault::killed_granted: return "candidate killed, granted";
        case Fault::frozen: return "frozen";
        case Fault::frozen_between_actions: return "frozen between actions";
        case Fault::frozen_in_disk_action: return "frozen in a disk action";
        case Fault::slept_through_epochs: return "slept through epochs";
        case Fault::two_candidates: return "two candidates";
        case Fault::holders_hunted: return "holders hunted";
        case Fault::restart_storm: return "restart storm";
        case Fault::all_killed: return "all killed";
        case Fault::second_process: return "second process of an id";
        case Fault::left: return "left";
        case Fault::clock_drift: return "clock drifts";
        case Fault::wall_clock_wrong: return "wall clock wrong";
        case Fault::wall_clock_jump: return "wall clock jumps";
        case Fault::power_cut: return "power cut";
        case Fault::record_lost: return "record lost";
        case Fault::record_torn: return "record torn";
        case Fault::output_torn: return "output torn";
        case Fault::words_lost: return "words lost";
        case Fault::name_lost: return "segment's name lost";
        case Fault::checkpoint_name_lost: return "checkpoint's name lost";
        case Fault::disk_full_record: return "no room for a record";
        case Fault::disk_full_segment: return "no room for a segment";
        case Fault::disk_full_checkpoint: return "no room for a checkpoint";
        case Fault::sync_failed: return "sync failed";
        case Fault::output_sync_failed: return "output sync failed";
        case Fault::grant_failed: return "grant failed";
        case Fault::output_write_failed: return "output write failed";
        case Fault::output_half_written: return "output half written";
        case Fault::fenced: return "fenced";
        case Fault::number_relinked: return "trimmed number linked again";
        case Fault::rotated: return "rotated";
        case Fault::output_goes_on: return "output goes on in a new file";
        case Fault::output_named_by_another: return "new output named by another node";
        case Fault::output_name_lost: return "new output's name lost";
        case Fault::trimmed: return "trimmed";
        case Fault::overtaken_by_trimming: return "overtaken by trimming";
        case Fault::checkpoint_late: return "checkpoint late";
        case Fault::bid_spoilt: return "bid spoilt";
        case Fault::client_killed: return "client killed";
        case Fault::outbox_lost: return "outbox lost";
        case Fault::failover_in_batch: return "fail-over in a batch";
        case Fault::two_clients_with_one_id: return "two clients with one id";
        case Fault::client_line_lost: return "client line lost";
        case Fault::client_frame_slow: return "client frame slow";
        case Fault::acked_pushed_again: return "acked pushed again";
        case Fault::session_retired: return "session retired";
        case Fault::hello_slept: return "hello slept";
        case Fault::hostile_frame: return "hostile frame";
        case Fault::text_given_up: return "text given up";
        case Fault::count_: break;
    }
    return "?";
}

}  // namespace anel::simulation

// Every kind of fault that a world knows, with the name under which it is counted. docs/TESTING.md has a row for each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace anel::simulation {

enum class Fault : std::size_t {
    // Between nodes.
    control_lost,
    control_repeated,
    control_slow,
    control_out_of_order,
    control_stale,
    link_lost,
    link_repeated,
    link_swapped,
    link_reset,
    link_deaf,
    link_without_port,
    link_end_heard_late,
    link_stranger,
    partition,
    one_way_partition,
    // Nodes.
    killed,
    killed_between_actions,
    killed_in_disk_action,
    killed_before_seal,
    killed_sealed,
    killed_before_link,
    killed_linked,
    killed_granted,
    frozen,
    frozen_between_actions,
    frozen_in_disk_action,
    slept_through_epochs,
    two_candidates,
    holders_hunted,
    restart_storm,
    all_killed,
    second_process,
    left,
    clock_drift,
    wall_clock_wrong,
    wall_clock_jump,
    // Volume.
    power_cut,
    record_lost,
    record_torn,
    output_torn,
    words_lost,
    name_lost,
    checkpoint_name_lost,
    disk_full_record,
    disk_full_segment,
    disk_full_checkpoint,
    sync_failed,
    output_sync_failed,
    grant_failed,
    output_write_failed,
    output_half_written,
    fenced,
    number_relinked,
    rotated,
    output_goes_on,
    output_named_by_another,
    output_name_lost,
    trimmed,
    overtaken_by_trimming,
    checkpoint_late,
    bid_spoilt,
    // Clients.
    client_killed,
    outbox_lost,
    failover_in_batch,
    two_clients_with_one_id,
    client_line_lost,
    client_frame_slow,
    acked_pushed_again,
    session_retired,
    hello_slept,
    hostile_frame,
    text_given_up,
    count_
};
inline constexpr auto fault_kinds = static_cast<std::size_t>(Fault::count_);
using FaultCounts = std::array<std::uint64_t, fault_kinds>;

[[nodiscard]] std::string_view name_of(Fault fault);

}  // namespace anel::simulation

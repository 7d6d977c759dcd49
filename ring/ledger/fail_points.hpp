// Named places where a test may stop, end or fail this process. Compiled in, off by default.
//
// ANEL_FAIL_POINTS="name=action[@N][,...]": at the N-th time the place is passed (default 1)
//   stop           SIGSTOP to itself, once
//   exit           ends at once with code 77, as a crash would, once
//   error:NAME     the system call there fails with ENOSPC, EIO, EDQUOT or EROFS, from then on
//   short          the write there is done in two pieces, from then on
//
// Places, in the order a round passes them:
//   record.reserve output.reserve record.write record.written | decide.before decide.after |
//   output.write output.first_half output.middle output.written | sync.requested (then the token goes on);
//   segment.sync segment.synced on the sync thread
// wherever a record is read back: record.read
// a grant or rotation: segment.reserve, grant.before_seal grant.sealed or rotate.sealed, grant.durable,
//   segment.write, grant.before_link, grant.linked, output.filler; segment.write_again behind a restart
// a new file of the output: output.prepared before the seal; series.write output.before_turn output.turned behind the link
// a checkpoint: output.sync blocks.write checkpoint.write checkpoint.before_link trim.unlink
// the first start: probe.write ledger.write; a repair: adoption.write; a backup: backup.write
// wherever a folder gets its fsync, two of them at each start of a node: folder.sync
#pragma once

#include <atomic>
#include <string_view>

#include "common/result.hpp"

namespace anel::fail_points {

struct Effect {
    int error = 0;         ///< errno that the place shall fail with; 0: none
    bool shorten = false;  ///< the write shall be short
};

namespace detail {
extern std::atomic<bool> armed;
Effect reach(std::string_view name);
}  // namespace detail

/// Passes the place `name`. One relaxed load where nothing is armed.
inline Effect pass(std::string_view name) {
    if (detail::armed.load(std::memory_order_relaxed)) [[unlikely]] {
        return detail::reach(name);
    }
    return {};
}

/// Replaces everything armed by what `text` says; an empty text disarms. `bad_configuration` names the bad entry.
[[nodiscard]] Result<void> arm(std::string_view text);

/// arm() with the environment's ANEL_FAIL_POINTS, if there is one.
[[nodiscard]] Result<void> arm_from_environment();

}  // namespace anel::fail_points

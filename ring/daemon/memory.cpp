#include "ring/daemon/memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <limits>

namespace anel {
namespace {

// Measured, and rounded up.
constexpr std::uint64_t idle_bytes = std::uint64_t{48} << 20U;
constexpr std::uint64_t session_bytes = 512;
constexpr std::uint64_t client_bytes = 1024;
constexpr std::uint64_t connection_bytes = std::uint64_t{64} << 10U;
/// A frame that was taken, with what keeping it costs.
constexpr std::uint64_t times_pending = 2;
/// The token that came, the one that goes, and the text of its round, which may be six times the payloads.
constexpr std::uint64_t times_round = 8;

/// For the ledger, links, control, and clients that are about to be cut.
constexpr std::size_t own_files = 448;
constexpr std::size_t connections_least = 64;

}  // namespace

std::uint64_t memory_bytes_max(const Settings& settings) {
    const auto& node = settings.node;
    return idle_bytes + node.sessions * session_bytes + node.clients * client_bytes +
           settings.connections * connection_bytes + node.pending_bytes * times_pending +
           (node.token_bytes + node.client_limits.batch_bytes) * times_round + settings.unread_bytes;
}

Result<std::size_t> connections_that_fit() {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) getrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur == RLIM_INFINITY) return std::numeric_limits<std::size_t>::max();
    if (files.rlim_cur < own_files + connections_least) {
        return failure(ErrorCode::bad_configuration,
                       fmt::format("this process may have {} files open; allowed are {} at least (ulimit -n, or "
                                   "LimitNOFILE of the service)",
                                   files.rlim_cur, own_files + connections_least));
    }
    return files.rlim_cur - own_files;
}

}  // namespace anel

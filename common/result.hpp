// The three kinds of error: a bug aborts (ANEL_ASSERT), what is expected is a value (Result), and the
// hopeless is said once by the program that ends of it (common/fatal.hpp).
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace anel {

enum class ErrorCode {
    malformed,         ///< bytes that are not what they should be
    too_large,         ///< well formed, but over a limit
    unsupported,       ///< a version or kind this program does not know
    fenced,            ///< the segment is sealed, or somebody else was first
    newer_epoch,       ///< the ledger has a newer epoch than the caller knew
    disk_full,         ///< no space; nothing was decided
    io_failed,         ///< the file system said no to something that had to work
    sync_failed,       ///< fsync or fdatasync failed; nothing may be vouched for any more
    ledger_damaged,    ///< a decided record cannot be read back valid
    outside_hands,     ///< somebody else changed, shortened, replaced or removed our files
    folder_unusable,   ///< the data folder is missing, read-only, on an unfit file system, of another ring
    bad_configuration, ///< usage or configuration
    address_in_use,    ///< a port is taken
    unreachable,       ///< nobody answers there
};

struct Error {
    ErrorCode code = ErrorCode::malformed;
    std::string text;  ///< one line: what, where, and what is allowed
    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> failure(ErrorCode code, std::string text) {
    return tl::unexpected<Error>{Error{code, std::move(text)}};
}

/// An invariant. Checked in release builds too: better a stopped node than a wrong ledger.
#define ANEL_ASSERT(condition)                                                                             \
    do {                                                                                                   \
        if (!(condition)) [[unlikely]] {                                                                   \
            std::fprintf(stderr, "anel: bug: %s is false at %s:%d\n", #condition, __FILE__, __LINE__);     \
            std::abort();                                                                                  \
        }                                                                                                  \
    } while (false)

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace anel

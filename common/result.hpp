// Errors that are expected are values: a Result, or an Error with its kind and one line for people. A bug is none of
// them and aborts (common/assert.hpp); the hopeless is said once by the program that ends of it.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace anel {

/// What kind of error it is, for programs; most of them come from a node's ledger.
enum class ErrorCode {
    malformed,          ///< bytes that are not what they should be
    too_large,          ///< well formed, but over a limit
    unsupported,        ///< a version or kind this program does not know
    fenced,             ///< the segment is sealed, or somebody else was first
    newer_epoch,        ///< the ledger has a newer epoch than the caller knew
    disk_full,          ///< no space; nothing was decided
    output_full,        ///< the output goes on in a new file first; nothing was decided
    io_failed,          ///< the file system said no to something that had to work
    sync_failed,        ///< fsync or fdatasync failed; nothing may be vouched for any more
    ledger_damaged,     ///< a decided record cannot be read back valid
    outside_hands,      ///< somebody else changed, shortened, replaced or removed our files
    folder_unusable,    ///< the data folder is missing, read-only, on an unfit file system, of another ring
    bad_configuration,  ///< usage or configuration
    address_in_use,     ///< a port is taken
    unreachable,        ///< nobody answers there
};

/// Why something could not be done.
struct Error {
    ErrorCode code = ErrorCode::malformed;
    std::string text;  ///< one line: what, where, and what is allowed
    friend bool operator==(const Error&, const Error&) = default;
};

/// A value, or why there is none. Has the interface of std::expected: `if (!result) ... result.error().text`.
template <class T>
using Result = tl::expected<T, Error>;

/// An Error that converts to any Result.
[[nodiscard]] inline tl::unexpected<Error> failure(ErrorCode code, std::string text) {
    return tl::unexpected<Error>{Error{code, std::move(text)}};
}

/// Joins lambdas into one visitor: std::visit(Overloaded{[](const Durable&) {...}, [](const auto&) {...}}, outcome).
template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace anel

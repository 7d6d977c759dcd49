// How a node ends: one exit code for each reason, and one line that says what happened.
#pragma once

#include <string>

#include "common/result.hpp"

namespace anel {

struct Ending {
    int exit_code = 0;
    std::string text;  ///< empty: it ended as it was told to
};

/// docs/OPERATIONS.md lists them.
[[nodiscard]] constexpr int exit_code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::sync_failed: return 10;
        case ErrorCode::ledger_damaged: return 11;
        case ErrorCode::outside_hands:
        case ErrorCode::folder_unusable:
        case ErrorCode::io_failed:
        case ErrorCode::disk_full: return 12;
        case ErrorCode::address_in_use: return 13;
        case ErrorCode::bad_configuration: return 2;
        case ErrorCode::malformed:
        case ErrorCode::too_large:
        case ErrorCode::unsupported: return 11;
        case ErrorCode::fenced:
        case ErrorCode::newer_epoch:
        case ErrorCode::output_full:
        case ErrorCode::unreachable: return 12;
    }
    return 12;
}
inline constexpr int exit_id_taken = 14;

[[nodiscard]] inline Ending ending_of(const Error& error) { return {exit_code_of(error.code), error.text}; }

}  // namespace anel

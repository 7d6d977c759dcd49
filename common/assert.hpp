// Bugs: an invariant that does not hold ends the program at once.
#pragma once

#include <cstdio>
#include <cstdlib>

/// An invariant. Checked in release builds too: better a stopped node than a wrong ledger.
#define ANEL_ASSERT(condition)                                                                         \
    do {                                                                                               \
        if (!(condition)) [[unlikely]] {                                                               \
            std::fprintf(stderr, "anel: bug: %s is false at %s:%d\n", #condition, __FILE__, __LINE__); \
            std::abort();                                                                              \
        }                                                                                              \
    } while (false)

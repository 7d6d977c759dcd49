// A process that dies in front of the n-th system call that changes the volume, or in the middle of that write.
#pragma once

#include <unistd.h>

#include <atomic>

#include "tests/unit/ledger/hooked_files.hpp"

namespace anel::test {

inline constexpr int died = 77;

enum class Cut { before, within_write };

/// Ends the process at the n-th call that changes something.
class Mortal : public HookedFiles {
public:
    Mortal(int calls, Cut cut) : left_{calls}, cut_{cut} {}
    ssize_t write(int fd, const iovec* pieces, int count, off_t offset) override {
        if (last_call()) {
            if (cut_ == Cut::within_write) {
                static_cast<void>(::pwrite(fd, pieces[0].iov_base, pieces[0].iov_len / 2, offset));
            }
            ::_exit(died);
        }
        return FileSystem::write(fd, pieces, count, offset);
    }

private:
    bool last_call() { return left_.fetch_sub(1) == 0; }
    void before_change() override {
        if (last_call()) {
            ::_exit(died);
        }
    }
    std::atomic<int> left_;
    Cut cut_;
};

}  // namespace anel::test

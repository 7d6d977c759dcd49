// A process that dies in front of the n-th system call that changes the volume, or in the middle of that write.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "ring/ledger/files.hpp"

namespace anel::test {

inline constexpr int died = 77;

enum class Cut { before, within_write };

/// Ends the process at the n-th call that changes something.
class Mortal : public FileSystem {
public:
    Mortal(int calls, Cut cut) : left_{calls}, cut_{cut} {}
    int open(int folder, const char* name, int flags, mode_t mode) override {
        if ((flags & O_TMPFILE) == O_TMPFILE) {
            step();
        }
        return FileSystem::open(folder, name, flags, mode);
    }
    int make_folder(int folder, const char* name, mode_t mode) override {
        step();
        return FileSystem::make_folder(folder, name, mode);
    }
    ssize_t write(int fd, const iovec* pieces, int count, off_t offset) override {
        if (last_call()) {
            if (cut_ == Cut::within_write) {
                static_cast<void>(::pwrite(fd, pieces[0].iov_base, pieces[0].iov_len / 2, offset));
            }
            ::_exit(died);
        }
        return FileSystem::write(fd, pieces, count, offset);
    }
    int reserve(int fd, off_t offset, off_t bytes) override {
        step();
        return FileSystem::reserve(fd, offset, bytes);
    }
    int fdatasync(int fd) override {
        step();
        return FileSystem::fdatasync(fd);
    }
    int fsync(int fd) override {
        step();
        return FileSystem::fsync(fd);
    }
    int link(int fd, int folder, const char* name) override {
        step();
        return FileSystem::link(fd, folder, name);
    }
    int unlink(int folder, const char* name) override {
        step();
        return FileSystem::unlink(folder, name);
    }
    int rename(int folder, const char* from, const char* name) override {
        step();
        return FileSystem::rename(folder, from, name);
    }
    int sync_all(int fd) override {
        step();
        return FileSystem::sync_all(fd);
    }

private:
    bool last_call() { return left_.fetch_sub(1) == 0; }
    void step() {
        if (last_call()) {
            ::_exit(died);
        }
    }
    std::atomic<int> left_;
    Cut cut_;
};

}  // namespace anel::test

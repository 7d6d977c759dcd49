// A file system that says so in front of each call that changes the volume.
#pragma once

#include <fcntl.h>

#include "ring/ledger/files.hpp"

namespace anel::test {

class HookedFiles : public FileSystem {
public:
    int open(int folder, const char* name, int flags, mode_t mode) override {
        if ((flags & O_TMPFILE) == O_TMPFILE) {
            before_change();
        }
        return FileSystem::open(folder, name, flags, mode);
    }
    int make_folder(int folder, const char* name, mode_t mode) override {
        before_change();
        return FileSystem::make_folder(folder, name, mode);
    }
    ssize_t write(int fd, const iovec* pieces, int count, off_t offset) override {
        before_change();
        return FileSystem::write(fd, pieces, count, offset);
    }
    int reserve(int fd, off_t offset, off_t bytes) override {
        before_change();
        return FileSystem::reserve(fd, offset, bytes);
    }
    int fdatasync(int fd) override {
        before_change();
        return FileSystem::fdatasync(fd);
    }
    int fsync(int fd) override {
        before_change();
        return FileSystem::fsync(fd);
    }
    int link(int fd, int folder, const char* name) override {
        before_change();
        return FileSystem::link(fd, folder, name);
    }
    int unlink(int folder, const char* name) override {
        before_change();
        return FileSystem::unlink(folder, name);
    }
    int rename(int folder, const char* from, const char* name) override {
        before_change();
        return FileSystem::rename(folder, from, name);
    }
    int sync_all(int fd) override {
        before_change();
        return FileSystem::sync_all(fd);
    }

private:
    virtual void before_change() = 0;
};

}  // namespace anel::test

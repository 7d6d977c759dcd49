// A file descriptor with one owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace anel {

/// Closes what it owns, with no word of whether that went well: what has to last is synced before.
class Descriptor {
public:
    Descriptor() = default;
    /// @param fd  what open and the like returned; below 0: none.
    explicit Descriptor(int fd) : fd_{fd} {}
    Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

}  // namespace anel

// Values from other threads, and a descriptor by which the poll loop hears of them.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "common/assert.hpp"
#include "common/result.hpp"

namespace anel {

template <class Value>
class Mailbox {
public:
    Mailbox() : descriptor_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} { ANEL_ASSERT(descriptor_ >= 0); }
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;
    ~Mailbox() { close(descriptor_); }

    /// From any thread.
    void put(Value value) {
        {
            const std::lock_guard lock{mutex_};
            values_.push_back(std::move(value));
        }
        // It can only fail when the counter is full, and then the reader is told already.
        static_cast<void>(eventfd_write(descriptor_, 1));
    }
    /// Everything that came, in order. From the reading thread.
    [[nodiscard]] std::vector<Value> take() {
        eventfd_t count = 0;
        static_cast<void>(eventfd_read(descriptor_, &count));
        const std::lock_guard lock{mutex_};
        return std::exchange(values_, {});
    }
    [[nodiscard]] int descriptor() const { return descriptor_; }

private:
    int descriptor_;
    std::mutex mutex_;
    std::vector<Value> values_;
};

}  // namespace anel

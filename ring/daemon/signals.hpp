// SIGTERM and SIGINT as a descriptor of the poll loop. Works for process 1 of a container too: a blocked signal is
// kept, where an unhandled one would be thrown away.
#pragma once

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "common/assert.hpp"
#include "common/result.hpp"

namespace anel {

class Signals {
public:
    /// Before the first thread starts: threads inherit what is blocked.
    Signals() {
        sigset_t wanted;
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGTERM);
        sigaddset(&wanted, SIGINT);
        pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
        std::signal(SIGPIPE, SIG_IGN);
        descriptor_ = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
        ANEL_ASSERT(descriptor_ >= 0);
    }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals() { close(descriptor_); }

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// Whether one came since.
    [[nodiscard]] bool take() {
        signalfd_siginfo info{};
        bool came = false;
        while (read(descriptor_, &info, sizeof info) == sizeof info) came = true;
        return came;
    }

private:
    int descriptor_ = -1;
};

}  // namespace anel

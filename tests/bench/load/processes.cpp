#include "tests/bench/load/processes.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

namespace anel::bench {
namespace {

[[noreturn]] void be_process(std::size_t number, Shared* all, const std::function<void(std::size_t, Shared*)>& work) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int code = 0;
    try {
        work(number, all);
    } catch (const std::exception& error) {
        std::cerr << "process " << number << ": " << error.what() << '\n';
        code = 1;
    }
    ::_exit(code);
}

/// Waits for all of them. As soon as one failed the others are ended: they may wait for it without end.
bool end_well(std::vector<pid_t> children, bool well) {
    while (!children.empty()) {
        if (!well) {
            for (const auto pid : children) ::kill(pid, SIGKILL);
        }
        int status = 0;
        const auto ended = ::wait(&status);
        if (ended < 0 && errno != EINTR) return false;
        if (ended < 0) continue;
        well = well && status == 0;
        std::erase(children, ended);
    }
    return well;
}

}  // namespace

std::uint64_t run_processes(std::size_t processes, const std::function<void(std::size_t, Shared*)>& work) {
    void* memory =
        ::mmap(nullptr, processes * sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error{"no shared memory"};
    auto* all = static_cast<Shared*>(memory);
    std::vector<pid_t> children;
    for (std::size_t number = 0; number < processes; ++number) new (&all[number]) Shared{};
    for (std::size_t number = 0; number < processes; ++number) {
        const auto pid = ::fork();
        if (pid == 0) be_process(number, all, work);
        if (pid > 0) children.push_back(pid);
    }
    const bool all_began = children.size() == processes;
    if (!end_well(std::move(children), all_began)) throw std::runtime_error{"a process failed"};
    std::uint64_t sum = 0;
    for (std::size_t number = 0; number < processes; ++number) sum += all[number].count;
    ::munmap(memory, processes * sizeof(Shared));
    return sum;
}

}  // namespace anel::bench

#include "tests/bench/load/processes.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
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
    bool right = children.size() == processes;
    for (const auto pid : children) {
        int status = 0;
        right = ::waitpid(pid, &status, 0) == pid && status == 0 && right;
    }
    if (!right) throw std::runtime_error{"a process failed"};
    std::uint64_t sum = 0;
    for (std::size_t number = 0; number < processes; ++number) sum += all[number].count;
    ::munmap(memory, processes * sizeof(Shared));
    return sum;
}

}  // namespace anel::bench

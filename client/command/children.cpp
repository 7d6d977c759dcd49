#include "client/command/children.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace anel::command {
namespace {

[[noreturn]] void become(char* const* arguments, char* const* environment, int log, pid_t parent) {
    // A group of its own: Ctrl-C reaches the parent alone, which stops all in order.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);  // it died before the line above
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = ::open("/dev/null", O_RDONLY);
    if (null >= 0) ::dup2(null, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execve(arguments[0], arguments, environment);
    ::_exit(127);
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
    std::vector<std::string> merged;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text{*entry};
        if (!added.contains(text.substr(0, text.find('=')))) merged.push_back(text);
    }
    for (const auto& [key, value] : added) merged.push_back(fmt::format("{}={}", key, value));
    return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

std::string Children::start(const Spec& spec) {
    if (::access(spec.arguments.front().c_str(), X_OK) != 0) {
        return fmt::format("{} cannot be started: {}", spec.arguments.front(), std::strerror(errno));
    }
    const int log = ::open(spec.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) return fmt::format("{} cannot be written: {}", spec.log.string(), std::strerror(errno));
    auto arguments = spec.arguments;
    auto environment = merged_environment(spec.environment);
    const auto argument_pointers = pointers(arguments);
    const auto environment_pointers = pointers(environment);
    const auto parent = ::getpid();
    const auto pid = ::fork();
    if (pid == 0) become(argument_pointers.data(), environment_pointers.data(), log, parent);
    ::close(log);
    if (pid < 0) return fmt::format("{} cannot be started: {}", spec.name, std::strerror(errno));
    children_.push_back({spec.name, pid, true, {}, -1});
    return {};
}

void Children::reap(const std::function<void(const Child&)>& each) {
    for (auto& child : children_) {
        int status = 0;
        if (!child.running || ::waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
        child.running = false;
        if (WIFEXITED(status)) child.exit_code = WEXITSTATUS(status);
        child.ending = WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                                         : fmt::format("signal {}", WTERMSIG(status));
        each(child);
    }
}

bool Children::any_running(const std::string& name_prefix) const {
    for (const auto& child : children_) {
        if (child.running && child.name.starts_with(name_prefix)) return true;
    }
    return false;
}

void Children::stop(const std::string& name_prefix, std::chrono::milliseconds most) {
    const auto signal_all = [&](int signal) {
        for (const auto& child : children_) {
            if (child.running && child.name.starts_with(name_prefix)) ::kill(child.pid, signal);
        }
    };
    const auto quiet = [](const Child&) {};
    signal_all(SIGTERM);
    const auto until = std::chrono::steady_clock::now() + most;
    reap(quiet);
    while (any_running(name_prefix) && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
        reap(quiet);
    }
    signal_all(SIGKILL);
    while (any_running(name_prefix)) {
        reap(quiet);
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
}

}  // namespace anel::command

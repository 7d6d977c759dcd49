// Child processes that end with their parent.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace anel::command {

class Children {
public:
    struct Spec {
        std::string name;
        std::vector<std::string> arguments;              ///< the first is the program's path
        std::map<std::string, std::string> environment;  ///< added to ours
        std::filesystem::path log;
    };
    struct Child {
        std::string name;
        pid_t pid = 0;
        bool running = false;
        std::string ending;  ///< "exit code 0", "signal 9", once it ended
        int exit_code = -1;  ///< -1: not by exit
    };

    ~Children() { stop_all(std::chrono::milliseconds{0}); }

    /// @return an error in words, or nothing.
    [[nodiscard]] std::string start(const Spec& spec);
    /// Takes note of children that ended; `each` hears of every one.
    void reap(const std::function<void(const Child&)>& each);
    /// SIGTERM to those whose name begins so, SIGKILL to who is left after `most`.
    void stop(const std::string& name_prefix, std::chrono::milliseconds most);
    void stop_all(std::chrono::milliseconds most) { stop({}, most); }
    [[nodiscard]] const std::vector<Child>& all() const { return children_; }
    [[nodiscard]] bool any_running(const std::string& name_prefix) const;

private:
    std::vector<Child> children_;
};

}  // namespace anel::command

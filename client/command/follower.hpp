// Follows a file by name: late creation, growth, replacement, as `tail -F` does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "common/file_watch.hpp"

namespace anel::command {

class Follower {
public:
    explicit Follower(std::filesystem::path path);
    ~Follower();
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    /// Opens the file if it is there. @return whether it is open.
    bool open();
    [[nodiscard]] std::uint64_t size() const;
    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    void seek(std::uint64_t offset) { offset_ = offset; }
    /// Where the last `rounds` rounds begin, by the separators of the classic format.
    [[nodiscard]] std::uint64_t offset_of_last_rounds(std::uint64_t rounds) const;

    /// What has happened to the file beside growing.
    enum class Change {
        none,
        replaced,   ///< another file has the name: read on from its start
        shortened,  ///< by outside hands: read on from its start
    };
    /// Gives all there is to read to `each`, until it returns false.
    Change read(const std::function<bool(std::string_view)>& each);
    /// Waits until something may have changed; a signal ends the wait.
    void wait(std::chrono::milliseconds most);

private:
    void close();
    void watch_folder();

    std::filesystem::path path_;
    int file_ = -1;
    FileWatch watch_;
    bool watching_ = false;
    std::uint64_t offset_ = 0;
};

}  // namespace anel::command

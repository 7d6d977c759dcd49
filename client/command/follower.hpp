// Follows a file by name: late creation, growth, replacement, as `tail -F` does. An output.txt is followed as what it is,
// the newest file of an output: what the finished ones have stands before it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "client/command/followed.hpp"
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
    [[nodiscard]] std::uint64_t size() const { return file_->size(); }
    /// The first byte that was not removed, and the first one of the file that has the name.
    [[nodiscard]] std::uint64_t begin() const { return file_->begin(); }
    [[nodiscard]] std::uint64_t newest() const { return file_->newest(); }
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

    /// Bytes that were gone before they could be read: their files were removed. Told once.
    [[nodiscard]] std::uint64_t take_missed() { return std::exchange(missed_, 0); }

private:
    void watch_folder();

    std::filesystem::path path_;
    std::unique_ptr<Followed> file_;
    bool anew_ = false;  ///< what opens next is read from its start
    std::uint64_t missed_ = 0;
    FileWatch watch_;
    bool watching_ = false;
    std::uint64_t offset_ = 0;
};

}  // namespace anel::command

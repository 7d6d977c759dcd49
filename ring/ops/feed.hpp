// The newest picture of the ring, for everybody who looks at it: one thread publishes, viewers wait for it.
//
// A viewer that is slow misses pictures, never the newest one. Nobody looks: the publisher sleeps.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace anel {

class Feed {
public:
    explicit Feed(std::size_t viewers_max) : viewers_max_{viewers_max} {}

    // --- for viewers, each on a thread of its own ---
    class Viewer {
    public:
        explicit Viewer(Feed& feed) : feed_{feed} {}
        Viewer(const Viewer&) = delete;
        Viewer& operator=(const Viewer&) = delete;
        ~Viewer() { feed_.leave(); }
        /// The next text to send: first the past, then each newest picture; a comment where none came for long.
        /// @return none: the feed is closed.
        [[nodiscard]] std::optional<std::string> next();

    private:
        Feed& feed_;
        bool knows_past_ = false;
        std::uint64_t seen_ = 0;
    };
    /// @return nothing: as many look already as may.
    [[nodiscard]] std::shared_ptr<Viewer> join();
    [[nodiscard]] std::size_t viewers_max() const { return viewers_max_; }
    [[nodiscard]] std::size_t viewers() const;

    // --- for the publisher ---
    /// Waits until somebody looks. @return false: the feed is closed.
    [[nodiscard]] bool wait_for_viewer();
    /// Waits until it is time for the next picture. @return false: closed, or nobody looks any more.
    [[nodiscard]] bool wait_for_turn(std::chrono::milliseconds interval);
    /// @param picture  one line of JSON.   @param point  what of it is kept for charts, one line of JSON.
    void publish(const std::string& picture, std::string point);
    /// Ends every viewer and the publisher.
    void close();

private:
    void leave();

    const std::size_t viewers_max_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t viewers_ = 0;
    bool closed_ = false;
    std::uint64_t published_ = 0;
    std::string newest_;
    std::deque<std::string> points_;
};

}  // namespace anel

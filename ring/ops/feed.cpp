#include "ring/ops/feed.hpp"

#include <utility>

namespace anel {
namespace {

constexpr std::size_t points_max = 600;  ///< five minutes of two a second
/// So that a viewer that went away without a word is noticed.
constexpr std::chrono::seconds silence_max{10};

std::string as_event(const std::string& name, const std::string& data) {
    return "event: " + name + "\ndata: " + data + "\n\n";
}

}  // namespace

std::shared_ptr<Feed::Viewer> Feed::join() {
    const std::scoped_lock guard{mutex_};
    if (viewers_ >= viewers_max_) return nullptr;
    ++viewers_;
    changed_.notify_all();
    return std::make_shared<Viewer>(*this);
}

void Feed::leave() {
    const std::scoped_lock guard{mutex_};
    --viewers_;
    changed_.notify_all();
}

std::size_t Feed::viewers() const {
    const std::scoped_lock guard{mutex_};
    return viewers_;
}

std::optional<std::string> Feed::Viewer::next() {
    std::unique_lock lock{feed_.mutex_};
    if (!knows_past_) {
        knows_past_ = true;
        std::string past;
        for (const auto& point : feed_.points_) past += (past.empty() ? "" : ",") + point;
        // A picture that was made before this viewer came may be old.
        seen_ = feed_.published_;
        return "retry: 1000\n" + as_event("past", "[" + past + "]");
    }
    feed_.changed_.wait_for(lock, silence_max, [this] { return feed_.closed_ || feed_.published_ != seen_; });
    if (feed_.closed_) return std::nullopt;
    if (feed_.published_ == seen_) return ": still here\n\n";
    seen_ = feed_.published_;
    return as_event("picture", feed_.newest_);
}

bool Feed::wait_for_viewer() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return closed_ || viewers_ > 0; });
    return !closed_;
}

bool Feed::wait_for_turn(std::chrono::milliseconds interval) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, interval, [this] { return closed_ || viewers_ == 0; });
    return !closed_ && viewers_ > 0;
}

void Feed::publish(const std::string& picture, std::string point) {
    const std::scoped_lock guard{mutex_};
    newest_ = picture;
    ++published_;
    points_.push_back(std::move(point));
    if (points_.size() > points_max) points_.pop_front();
    changed_.notify_all();
}

void Feed::close() {
    const std::scoped_lock guard{mutex_};
    closed_ = true;
    changed_.notify_all();
}

}  // namespace anel

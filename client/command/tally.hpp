// Follows every message of `anel send` from push to outcome.
#pragma once

#include <fmt/format.h>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "client/session.hpp"

namespace anel::command {

using client::Durable;
using client::Refused;
using client::Settled;
using client::Unknown;

/// A message that is not durable, and why. Number 0: it was not even taken.
struct Failed {
    std::uint64_t message = 0;
    std::string text;
    std::string why;
};

/// Knows the text of every message that is not settled. Settled runs come from the client's thread.
class Tally {
public:
    explicit Tally(std::uint64_t restored) : restored_{restored}, texts_(restored, "(from the outbox)") {}

    void pushing(std::string_view text) {
        const std::lock_guard lock{mutex_};
        texts_.emplace_back(text);
    }
    void not_taken(std::string_view text, const Refused& refused) {
        const std::lock_guard lock{mutex_};
        if (!texts_.empty()) texts_.pop_back();
        refused_.push_back({0, std::string{text}, fmt::format("{}: {}", refused.code, refused.text)});
    }
    void settled(const Settled& run) {
        const std::lock_guard lock{mutex_};
        for (auto ordinal = run.first.value; ordinal <= run.last.value; ++ordinal) {
            auto& text = texts_[ordinal - 1 - dropped_];
            if (const auto* refused = std::get_if<Refused>(&run.outcome)) {
                refused_.push_back({ordinal, std::move(text), fmt::format("{}: {}", refused->code, refused->text)});
            } else if (const auto* unknown = std::get_if<Unknown>(&run.outcome)) {
                unknown_.push_back({ordinal, std::move(text), unknown->why});
            } else {
                ++durable_;
                last_ = std::get<Durable>(run.outcome);
            }
            text.clear();
        }
        settled_ += run.last.value - run.first.value + 1;
        // Runs come in order but for single refusals, so what is settled can be dropped from the front.
        while (dropped_ < run.last.value && settled_ >= run.last.value) {
            texts_.pop_front();
            ++dropped_;
        }
        last_progress_ = std::chrono::steady_clock::now();
    }

    struct Result {
        std::uint64_t durable = 0;
        std::uint64_t restored = 0;
        Durable last;
        std::vector<Failed> refused;
        std::vector<Failed> unknown;
    };
    Result result() {
        const std::lock_guard lock{mutex_};
        return {durable_, restored_, last_, refused_, unknown_};
    }
    std::uint64_t durable() {
        const std::lock_guard lock{mutex_};
        return durable_;
    }
    std::chrono::steady_clock::time_point last_progress() {
        const std::lock_guard lock{mutex_};
        return last_progress_;
    }

private:
    std::mutex mutex_;
    std::uint64_t restored_;
    std::deque<std::string> texts_;  ///< of the ordinals behind dropped_
    std::uint64_t dropped_ = 0;
    std::uint64_t settled_ = 0;
    std::uint64_t durable_ = 0;
    Durable last_;
    std::vector<Failed> refused_;
    std::vector<Failed> unknown_;
    std::chrono::steady_clock::time_point last_progress_ = std::chrono::steady_clock::now();
};

}  // namespace anel::command

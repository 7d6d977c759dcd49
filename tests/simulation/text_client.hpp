// A client in three lines of any language: plain text, one message at a time, no session.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/simulation/judge.hpp"
#include "tests/simulation/mail.hpp"
#include "tests/simulation/payloads.hpp"

namespace anel::simulation {

class TextClient {
public:
    TextClient(World& world, Mail& mail, Judge& judge, std::string id)
        : world_{world}, mail_{mail}, judge_{judge}, id_{std::move(id)} {}

    void start() {
        left_ = world_.plan.messages_each / 2;
        tick();
    }
    void hurry() { left_ += 1; }
    [[nodiscard]] bool done() const { return left_ == 0 && payload_.empty(); }
    [[nodiscard]] std::string describe() const {
        return fmt::format("text client {} at node {}: {} left, waits for '{}'", id_, node_.value, left_, payload_);
    }

private:
    void tick() {
        using namespace std::chrono_literals;
        // Whether a message came through is unknown after a time-out; a resend is a new message.
        if (!payload_.empty() && world_.now() >= patience_until_) {
            world_.strike(Fault::text_given_up);
            payload_.clear();
            line_.reset();
        }
        if (payload_.empty() && left_ > 0) say();
        if (done() && !world_.faults) return;
        world_.events.after(world_.random.between(5ms, 100ms), [this] { tick(); });
    }

    void say() {
        using namespace std::chrono_literals;
        if (!line_) {
            node_ = {world_.random.below(world_.plan.nodes)};
            const auto line = std::make_shared<LineNumber>();
            *line = mail_.open(node_, [this, line](const ClientReply& reply) { heard(*line, reply); });
            line_ = *line;
        }
        payload_ = fmt::format("{}/{}{}", id_, ++made_, world_.random.chance(0.2) ? "\n\\\u00e9" : "");
        judge_.pushed(payload_, {}, node_);
        mail_.send(*line_, Blob::copy(payload_));
        patience_until_ = world_.now() + world_.random.between(500ms, 2000ms);
    }

    void heard(LineNumber line, const ClientReply& reply) {
        if (line != line_ || payload_.empty()) return;
        if (const auto* ok = std::get_if<TextOk>(&reply)) {
            judge_.text_acked(payload_, ok->sequence);
            --left_;
        } else if (const auto* error = std::get_if<TextError>(&reply)) {
            check_refusal(*error);
            world_.count("text refused");
        } else {
            throw Violation{"plain text was answered in msgpack"};
        }
        payload_.clear();
        if (world_.random.chance(0.3)) line_.reset();
    }

    /// A good text is refused for good where the node's own session ends: where there are few, or when a second process
    /// of its id is admitted. And a node that found the text written, but in a snapshot, says so.
    void check_refusal(const TextError& error) const {
        if (!is_final(error.code)) return;
        if (error.text.starts_with("written")) return judge_.acked(payload_);
        const bool may_end = world_.plan.config.sessions < 100 || world_.plan.second_process_mean.count() > 0;
        const bool ended = error.code == RejectCode::session_retired || error.code == RejectCode::conflict;
        if (!ended || !may_end) throw Violation{"plain text was refused: " + error.text};
    }

    World& world_;
    Mail& mail_;
    Judge& judge_;
    std::string id_;
    std::uint64_t left_ = 0;
    std::uint64_t made_ = 0;
    std::string payload_;  ///< the one not yet answered
    std::optional<LineNumber> line_;
    NodeId node_;
    SimTime patience_until_{0};
};

}  // namespace anel::simulation

#include "client/command/watch_feed.hpp"

#include <fmt/format.h>

#include "client/command/commands.hpp"
#include "client/command/feed_cursor.hpp"
#include "client/command/feed_link.hpp"
#include "client/command/last_rounds.hpp"

namespace anel::command {
namespace {

constexpr std::string_view scheme = "tcp://";
constexpr int exit_other_ledger = 1;
constexpr int exit_no_answer = 4;

class FeedWatch {
public:
    FeedWatch(const WatchFeedOptions& options, std::vector<client::Address> addresses)
        : options_{options},
          link_{std::move(addresses), signalled},
          cursor_{options.position ? std::nullopt : options.offset, options.ledger,
                  options.from == "start" && !options.position ? FeedCursor::Start::oldest : FeedCursor::Start::end},
          printer_{options.print} {}

    int run() {
        if (!cursor_.offset() && !next()) return exit_code_;
        if (options_.position) {
            fmt::print("{} {} {}\n", cursor_.ledger(), cursor_.end(), cursor_.round().value);
            return exit_success;
        }
        if (const auto rounds = rounds_of(options_.from); rounds && !go_back(*rounds)) return exit_code_;
        std::optional<std::uint64_t> target;
        while (auto bytes = next()) {
            if (!target) target = cursor_.end();
            if (!printer_.feed(*bytes)) return exit_success;
            if (options_.until_end && *cursor_.offset() >= *target) return exit_success;
        }
        return exit_code_;
    }

private:
    /// The next bytes at the cursor, empty where none came; nothing: it is over, with exit_code_.
    std::optional<std::string_view> next() {
        while (!signalled()) {
            answer_ = link_.ask(cursor_.request());
            if (!answer_) {
                if (!may_go_on()) return std::nullopt;
                continue;
            }
            const auto verdict = cursor_.take(*answer_);
            if (const auto* bytes = std::get_if<FeedCursor::GoOn>(&verdict)) {
                link_.stay();
                said_ = false;
                return bytes->bytes;
            }
            if (const auto* over = std::get_if<FeedCursor::GiveUp>(&verdict)) {
                exit_code_ = fail("watch", over->why, exit_other_ledger);
                return std::nullopt;
            }
            link_.leave(std::get<FeedCursor::GoElsewhere>(verdict).why);
            if (!may_go_on()) return std::nullopt;
        }
        return std::nullopt;
    }

    /// Who follows waits for a node for ever, and says so once; who wants what is there gives up.
    bool may_go_on() {
        if (signalled()) return false;
        if (!link_.tried_all()) return true;
        if (options_.until_end || options_.position) {
            exit_code_ =
                fail("watch", fmt::format("no node answers; the last one: {}", link_.trouble()), exit_no_answer);
            return false;
        }
        if (!said_) fmt::print(stderr, "anel watch: no node answers, trying on; the last one: {}\n", link_.trouble());
        said_ = true;
        return true;
    }

    bool go_back(std::uint64_t rounds) {
        const auto first = cursor_.begin();  // what was removed is as if it had never been
        const auto begin =
            offset_of_last_rounds(cursor_.end() - first, rounds,
                                  [&](std::uint64_t from, std::size_t bytes) { return read(first + from, bytes); });
        if (begin) cursor_.seek(first + *begin);
        return begin.has_value();
    }

    std::optional<std::string> read(std::uint64_t begin, std::size_t bytes) {
        std::string text;
        cursor_.seek(begin);
        while (text.size() < bytes) {
            const auto more = next();
            if (!more) return std::nullopt;
            text.append(more->substr(0, bytes - text.size()));
        }
        return text;
    }

    const WatchFeedOptions& options_;
    FeedLink link_;
    FeedCursor cursor_;
    Printer printer_;
    std::optional<FeedAnswer> answer_;  ///< the bytes given out last point into it and into the link's message
    bool said_ = false;
    int exit_code_ = exit_success;
};

}  // namespace

bool is_feed_address(const std::string& text) { return text.starts_with(scheme); }

int watch_feed(const WatchFeedOptions& options) {
    std::vector<client::Address> addresses;
    for (const auto& text : options.addresses) {
        auto address = is_feed_address(text) ? client::parse_address(text.substr(scheme.size()))
                                             : failure(ErrorCode::bad_configuration, "not beside a feed");
        if (!address) {
            return fail("watch",
                        fmt::format("{}: one folder or file, or tcp://host:port of each feed, is allowed", text),
                        exit_usage);
        }
        addresses.push_back(std::move(*address));
    }
    catch_signals();
    return FeedWatch{options, std::move(addresses)}.run();
}

}  // namespace anel::command

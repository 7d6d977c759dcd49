#include "ring/ledger/fail_points.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>

namespace anel::fail_points {
namespace {

enum class Kind { stop, exit, error, shorten };
struct Entry {
    Kind kind = Kind::stop;
    int error = 0;
    std::uint64_t at = 1;
    std::uint64_t hits = 0;
};
struct Table {
    std::mutex mutex;
    std::map<std::string, Entry, std::less<>> entries;
};
Table& table() {
    static Table the_table;
    return the_table;
}

std::optional<Entry> parse_action(std::string_view text) {
    Entry entry;
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        const auto number = text.substr(at + 1);
        const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), entry.at);
        if (problem != std::errc{} || end != number.data() + number.size() || entry.at == 0) {
            return std::nullopt;
        }
        text = text.substr(0, at);
    }
    static const std::map<std::string_view, std::pair<Kind, int>> actions{
        {"stop", {Kind::stop, 0}},
        {"exit", {Kind::exit, 0}},
        {"short", {Kind::shorten, 0}},
        {"error:ENOSPC", {Kind::error, ENOSPC}},
        {"error:EDQUOT", {Kind::error, EDQUOT}},
        {"error:EIO", {Kind::error, EIO}},
        {"error:EROFS", {Kind::error, EROFS}},
    };
    const auto found = actions.find(text);
    if (found == actions.end()) {
        return std::nullopt;
    }
    entry.kind = found->second.first;
    entry.error = found->second.second;
    return entry;
}

}  // namespace

namespace detail {

std::atomic<bool> armed{false};

Effect reach(std::string_view name) {
    const std::scoped_lock guard{table().mutex};
    const auto found = table().entries.find(name);
    if (found == table().entries.end()) {
        return {};
    }
    Entry& entry = found->second;
    const std::uint64_t hit = ++entry.hits;
    switch (entry.kind) {
        case Kind::stop:
            if (hit == entry.at) {
                ::raise(SIGSTOP);
            }
            return {};
        case Kind::exit:
            if (hit == entry.at) {
                ::_exit(77);
            }
            return {};
        case Kind::error: return {.error = hit >= entry.at ? entry.error : 0, .shorten = false};
        case Kind::shorten: return {.error = 0, .shorten = hit >= entry.at};
    }
    return {};
}

}  // namespace detail

Result<void> arm(std::string_view text) {
    std::map<std::string, Entry, std::less<>> entries;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const auto item = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
        const auto equals = item.find('=');
        const auto action = equals == std::string_view::npos ? std::nullopt : parse_action(item.substr(equals + 1));
        if (!action || equals == 0) {
            return failure(ErrorCode::bad_configuration,
                           fmt::format("ANEL_FAIL_POINTS: '{}' is not name=action[@N] with an action of stop, exit, "
                                       "short, error:ENOSPC, error:EDQUOT, error:EIO, error:EROFS",
                                       item));
        }
        entries.insert_or_assign(std::string{item.substr(0, equals)}, *action);
    }
    const std::scoped_lock guard{table().mutex};
    table().entries = std::move(entries);
    detail::armed.store(!table().entries.empty(), std::memory_order_relaxed);
    return {};
}

Result<void> arm_from_environment() {
    const char* text = std::getenv("ANEL_FAIL_POINTS");
    return text == nullptr ? Result<void>{} : arm(text);
}

}  // namespace anel::fail_points

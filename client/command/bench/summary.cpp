#include "client/command/bench/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace anel::command::bench {
namespace {

using nlohmann::json;

constexpr std::size_t picture_columns = 50;

/// Those of `all` at `key`, an object's name or an array's index.
template <class Key>
std::vector<json> at_each(const std::vector<json>& all, const Key& key) {
    std::vector<json> found;
    for (const auto& one : all) found.push_back(one.at(key));
    return found;
}

std::string number(const json& value) {
    return value.is_number_float() ? fmt::format("{:.2f}", value.get<double>()) : value.dump();
}

std::string line_of(const std::string& name, const std::vector<json>& runs) {
    auto line = fmt::format("  {:<24} {}", name, number(median_of(runs)));
    if (runs.size() > 1 && runs.front().is_number()) {
        const auto [lowest, highest] = std::minmax_element(runs.begin(), runs.end());
        line += fmt::format(" ({} to {})", number(*lowest), number(*highest));
    }
    return line + "\n";
}

/// How many of the samples took how long, in steps of a quarter more: [[share, us], ...] says at which share which time
/// is reached, and between two of these the samples are spread evenly.
std::string picture_of(const json& distribution) {
    constexpr double step = 1.25;
    const auto time_at = [&](std::size_t row) { return std::max(1.0, distribution.at(row).at(1).get<double>()); };
    const auto share_below = [&](double us) {
        if (us <= time_at(0)) return 0.0;
        for (std::size_t row = 1; row < distribution.size(); ++row) {
            if (time_at(row) <= us) continue;
            const double from = distribution.at(row - 1).at(0);
            const double to = distribution.at(row).at(0);
            return from + (to - from) * (us - time_at(row - 1)) / (time_at(row) - time_at(row - 1));
        }
        return 1.0;
    };
    std::vector<std::pair<double, double>> rows;
    for (double us = time_at(0); us < time_at(distribution.size() - 1) * step; us *= step) {
        rows.emplace_back(us, share_below(us * step) - share_below(us));
    }
    double highest = 0;
    for (const auto& row : rows) highest = std::max(highest, row.second);
    std::string picture;
    for (const auto& [us, share] : rows) {
        picture +=
            fmt::format("    {:>9.0f} us {:>5.1f} % {}\n", us, 100 * share, bar(share / highest, picture_columns));
    }
    return picture;
}

}  // namespace

json median_of(const std::vector<json>& runs) {
    const auto& first = runs.front();
    if (first.is_object()) {
        auto medians = json::object();
        for (const auto& [name, unused] : first.items()) medians[name] = median_of(at_each(runs, name));
        return medians;
    }
    if (first.is_array()) {
        auto medians = json::array();
        for (std::size_t at = 0; at < first.size(); ++at) medians.push_back(median_of(at_each(runs, at)));
        return medians;
    }
    if (!first.is_number()) return first;
    auto sorted = runs;
    std::sort(sorted.begin(), sorted.end());
    return sorted[(sorted.size() - 1) / 2];
}

std::string text_of(const std::vector<json>& runs) {
    std::string text;
    for (const auto& [name, value] : runs.front().items()) {
        if (!value.is_object()) {
            text += line_of(name, at_each(runs, name));
            continue;
        }
        const auto inner = at_each(runs, name);
        for (const auto& [key, unused] : value.items()) {
            if (key != "distribution") text += line_of(name + "." + key, at_each(inner, key));
        }
        if (value.contains("distribution")) text += picture_of(median_of(inner).at("distribution"));
    }
    return text;
}

std::string bar(double share, std::size_t columns) {
    std::string blocks;
    const auto count = std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(columns));
    for (long block = 0; block < count; ++block) blocks += "\u2588";
    return blocks;
}

}  // namespace anel::command::bench

// What several runs of one bench come to, and how it is shown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace anel::command::bench {

/// The median of each figure over the runs, at every depth; what is no figure is that of the first run.
[[nodiscard]] nlohmann::json median_of(const std::vector<nlohmann::json>& runs);

/// The figures as lines of text, "name  median (lowest to highest)", and a picture of each distribution of latencies.
[[nodiscard]] std::string text_of(const std::vector<nlohmann::json>& runs);

/// A bar of blocks as long as `share` of `columns`.
[[nodiscard]] std::string bar(double share, std::size_t columns);

}  // namespace anel::command::bench

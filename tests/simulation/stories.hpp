// Stories: worlds without chance faults, in which one thing happens at an exact moment. docs/EXPLAINED.md draws their traces.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/simulation.hpp"

namespace anel::simulation {

[[nodiscard]] std::vector<std::string_view> story_names();
/// @param name  one of story_names().
/// @param seed  of delays, and of what a power cut leaves; without one, the story's own.
/// @param sink  gets the trace; what a picture shows stands between two lines that begin with "---".
[[nodiscard]] Verdict run_story(std::string_view name, std::optional<std::uint64_t> seed,
                                std::function<void(const std::string&)> sink);

}  // namespace anel::simulation

#include "tests/simulation/world.hpp"

#include <fmt/format.h>

namespace anel::simulation {

std::string World::stamp() const {
    const auto us = now().count();
    return fmt::format("{:>4}.{:06} ", us / 1'000'000, us % 1'000'000);
}

}  // namespace anel::simulation

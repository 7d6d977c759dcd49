#include "tests/simulation/output.hpp"

#include <fmt/format.h>

namespace anel::simulation {

void SimOutput::write(std::uint64_t offset, std::string_view text) {
    if (offset > promised_.size()) {
        throw Violation{fmt::format("S5: a write at {} leaves a hole behind {}", offset, promised_.size())};
    }
    const auto overlap = std::min<std::uint64_t>(text.size(), promised_.size() - offset);
    if (std::string_view{promised_}.substr(offset, overlap) != text.substr(0, overlap)) {
        throw Violation{fmt::format("S5: bytes at {} changed", offset)};
    }
    promised_ += text.substr(overlap);
    if (bytes_.size() < offset + text.size()) bytes_.resize(offset + text.size(), '\0');
    bytes_.replace(offset, text.size(), text);
}

void SimOutput::power_cut(Random& random, std::uint64_t durable) {
    const auto unsynced = bytes_.size() - on_disk_;
    bytes_.resize(on_disk_ + random.below(unsynced + 1));
    constexpr std::size_t page = 64;
    for (auto at = on_disk_; at < bytes_.size(); at += page) {
        if (!random.chance(0.5)) continue;
        const auto length = std::min<std::uint64_t>(page, bytes_.size() - at);
        bytes_.replace(at, length, length, '\0');
    }
    on_disk_ = bytes_.size();
    promised_.resize(std::min<std::uint64_t>(promised_.size(), durable));
}

}  // namespace anel::simulation

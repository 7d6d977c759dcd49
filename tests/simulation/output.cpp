#include "tests/simulation/output.hpp"

#include <fmt/format.h>

namespace anel::simulation {

void SimOutput::write(std::uint64_t offset, std::string_view text) {
    if (text.empty()) return;
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
    for (auto at = offset / sector_bytes; at <= (offset + text.size() - 1) / sector_bytes; ++at) dirty_.insert(at);
}

OutputSync SimOutput::begin_sync(std::uint64_t errors_heard) const {
    OutputSync sync;
    sync.errors = errors_heard;
    for (const auto index : dirty_) sync.sectors.emplace(index, sector(index));
    return sync;
}

void SimOutput::store(std::string& disk, std::size_t index, std::string_view content) {
    const auto offset = index * sector_bytes;
    if (disk.size() < offset + content.size()) disk.resize(offset + content.size(), '\0');
    disk.replace(offset, content.size(), content);
}

bool SimOutput::finish_sync(const OutputSync& sync) {
    if (sync.errors != errors_) return false;
    for (const auto& [index, content] : sync.sectors) {
        store(disk_, index, content);
        if (sector(index) == content) dirty_.erase(index);
    }
    return true;
}

void SimOutput::fail_sync(const OutputSync& sync) {
    ++errors_;
    for (const auto& [index, content] : sync.sectors) {
        if (sector(index) == content) dirty_.erase(index);
    }
}

bool SimOutput::power_cut(Random& random, std::uint64_t durable) {
    const auto before = bytes_;
    const auto size = random.between(std::min(disk_.size(), bytes_.size()), std::max(disk_.size(), bytes_.size()));
    const double kept = random.chance(0.2) ? 0.0 : random.chance(0.25) ? 1.0 : 0.5;
    for (const auto index : dirty_) {
        if (random.chance(kept)) store(disk_, index, sector(index));
    }
    disk_.resize(size, '\0');
    bytes_ = disk_;
    dirty_.clear();
    errors_ = 0;
    promised_.resize(std::min<std::uint64_t>(promised_.size(), durable));
    return bytes_ != before;
}

}  // namespace anel::simulation

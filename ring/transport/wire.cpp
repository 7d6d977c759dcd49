#include "ring/transport/wire.hpp"

namespace anel::wire {
namespace {

/// Every entry has bytes, and together they are what is here or was placed, never both.
bool entries_fill_frames(const Bid& bid) {
    std::uint64_t left = bid.bytes();
    if (bid.placed && (!bid.is_away() || left == 0)) return false;
    for (const auto& entry : bid.entries) {
        if (entry.bytes == 0 || entry.bytes > left) return false;
        left -= entry.bytes;
    }
    return left == 0;
}

}  // namespace

void Writer::put(const Bid& bid) {
    array(4);
    put(bid.node);
    put(bid.placed);
    std::size_t bytes = 0;
    for (const auto& chunk : bid.chunks) bytes += chunk.size();
    packer_.pack_bin(static_cast<std::uint32_t>(bytes));
    for (const auto& chunk : bid.chunks) {
        packer_.pack_bin_body(chunk.text().data(), static_cast<std::uint32_t>(chunk.size()));
    }
    array(bid.entries.size() * 2);
    for (const auto& entry : bid.entries) {
        put(entry.birth);
        put(std::uint64_t{entry.bytes});
    }
}

void Reader::get(Bid& bid) {
    require(array() == 4);
    get(bid.node);
    get(bid.placed);
    const auto frames = taken(reader_.binary());
    const auto numbers = array();
    require(numbers % 2 == 0);
    if (!ok()) return;
    if (!frames.empty()) {
        const auto offset = as_bytes(frames).data() - frame_.bytes().data();
        bid.chunks.push_back(frame_.slice(static_cast<std::size_t>(offset), frames.size()));
    }
    bid.entries.reserve(numbers / 2);
    for (std::uint32_t index = 0; index < numbers / 2 && ok(); ++index) {
        std::uint64_t bytes = 0;
        auto& entry = bid.entries.emplace_back();
        get(entry.birth);
        get(bytes);
        require(bytes <= std::numeric_limits<std::uint32_t>::max());
        entry.bytes = static_cast<std::uint32_t>(bytes);
    }
    require(ok() && entries_fill_frames(bid));
}

bool Reader::sound(const View& view) {
    if (view.members.empty() || view.members.size() > limits::nodes_max) return false;
    bool coordinated = false;
    for (std::size_t index = 0; index < view.members.size(); ++index) {
        if (index > 0 && view.members[index - 1].id >= view.members[index].id) return false;
        coordinated = coordinated || view.members[index].id == view.coordinator;
    }
    return coordinated;
}

bool Reader::sound(const OpenRound& round) {
    std::uint64_t bidders = 0;
    for (const auto& bid : round.bids) {
        if (bid.node.value >= limits::nodes_max) return false;
        const auto bit = std::uint64_t{1} << bid.node.value;
        if ((bidders & bit) != 0) return false;
        bidders |= bit;
    }
    return true;
}

/// Every entry has bytes, and together they fill the frames.
bool Reader::sound(const Wake& wake) {
    std::uint64_t bytes = 0;
    for (const auto& entry : wake.entries) {
        if (entry.bytes == 0) return false;
        bytes += entry.bytes;
    }
    return bytes == wake.frames.size();
}

bool Reader::sound(const SessionChange& change) {
    return !change.client_id.empty() && change.client_id.size() <= limits::client_id_bytes_max;
}

}  // namespace anel::wire

#include "ring/transport/wire.hpp"

namespace anel::wire {
namespace {

/// Merges neighbouring small chunks; what is large stays the bytes it is.
void pack_chunks(const std::vector<Blob>& chunks, Frames& frames) {
    for (std::size_t next = 0; next < chunks.size();) {
        std::size_t end = next + 1;
        std::size_t bytes = chunks[next].size();
        while (end < chunks.size() && chunks[next].size() < chunk_packed_below &&
               chunks[end].size() < chunk_packed_below && bytes < chunk_packed_up_to) {
            bytes += chunks[end++].size();
        }
        if (end == next + 1) {
            frames.push_back(chunks[next]);
        } else {
            Bytes packed;
            packed.reserve(bytes);
            for (std::size_t index = next; index < end; ++index) {
                const auto view = chunks[index].bytes();
                packed.insert(packed.end(), view.begin(), view.end());
            }
            frames.push_back(Blob::of(std::move(packed)));
        }
        next = end;
    }
}

/// Every entry has bytes, lies in one chunk, and together they fill all chunks.
bool entries_fill_chunks(const Bid& bid) {
    std::size_t next = 0;
    for (const auto& chunk : bid.chunks) {
        std::size_t left = chunk.size();
        if (left == 0) return false;
        while (left > 0) {
            if (next == bid.entries.size()) return false;
            const std::size_t bytes = bid.entries[next++].bytes;
            if (bytes == 0 || bytes > left) return false;
            left -= bytes;
        }
    }
    return next == bid.entries.size();
}

}  // namespace

void Writer::put(const Bid& bid) {
    const auto before = frames_.size();
    pack_chunks(bid.chunks, frames_);
    array(3);
    put(bid.node);
    put(std::uint64_t{frames_.size() - before});
    array(bid.entries.size() * 2);
    for (const auto& entry : bid.entries) {
        put(entry.birth);
        put(std::uint64_t{entry.bytes});
    }
}

void Reader::get(Bid& bid) {
    require(array() == 3);
    get(bid.node);
    std::uint64_t chunks = 0;
    get(chunks);
    require(chunks <= frames_.size());
    const auto numbers = array();
    require(numbers % 2 == 0);
    if (!ok()) return;
    bid.chunks.assign(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(chunks));
    frames_ = frames_.subspan(chunks);
    bid.entries.reserve(numbers / 2);
    for (std::uint32_t index = 0; index < numbers / 2 && ok(); ++index) {
        std::uint64_t bytes = 0;
        auto& entry = bid.entries.emplace_back();
        get(entry.birth);
        get(bytes);
        require(bytes <= std::numeric_limits<std::uint32_t>::max());
        entry.bytes = static_cast<std::uint32_t>(bytes);
    }
    require(ok() && entries_fill_chunks(bid));
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

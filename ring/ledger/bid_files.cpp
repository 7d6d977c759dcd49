#include "ring/ledger/bid_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace anel {
namespace {

constexpr std::string_view what = "a bid";

std::string name_of(NodeId node) { return fmt::format("{}", node.value); }

}  // namespace

BidFiles::BidFiles(FileSystem& files, const std::filesystem::path& data, NodeId self)
    : files_{files}, self_{self}, path_{data / ".anel" / "bids"} {
    find_folder();
}

void BidFiles::find_folder() {
    files_.make_folder(AT_FDCWD, path_.c_str(), 0777);  // if it is there, or cannot be made, open says so
    folder_ = Descriptor{files_.open(AT_FDCWD, path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)};
}

Descriptor BidFiles::open(NodeId node, int flags) {
    const auto name = name_of(node);
    const auto opened = [&] { return Descriptor{files_.open(folder_.get(), name.c_str(), flags | O_CLOEXEC, 0666)}; };
    auto file = opened();
    if (file.valid()) return file;
    find_folder();  // the other one may have been removed
    return opened();
}

bool BidFiles::own_file_has_its_name() {
    struct stat status {};
    if (own_.valid() && ::fstat(own_.get(), &status) == 0 && status.st_nlink > 0) return true;
    own_ = open(self_, O_WRONLY | O_CREAT);
    return own_.valid();
}

bool BidFiles::put(std::span<const Blob> chunks) {
    if (!own_file_has_its_name()) return false;
    std::uint64_t offset = 0;
    std::array<iovec, 64> pieces{};
    while (!chunks.empty()) {
        const auto count = std::min(chunks.size(), pieces.size());
        std::uint64_t bytes = 0;
        for (std::size_t index = 0; index < count; ++index) {
            const auto view = chunks[index].bytes();
            pieces[index] = {const_cast<std::byte*>(view.data()), view.size()};
            bytes += view.size();
        }
        // A short write means a full disk: then the bid travels.
        const auto written =
            files_.write(own_.get(), pieces.data(), static_cast<int>(count), static_cast<off_t>(offset));
        if (written < 0 || static_cast<std::uint64_t>(written) != bytes) return false;
        offset += bytes;
        chunks = chunks.subspan(count);
    }
    return true;
}

Blob BidFiles::get(NodeId node, std::size_t bytes) {
    // Opened anew each time: its bidder may have made another one.
    const auto file = open(node, O_RDONLY);
    if (!file.valid()) return {};
    // How much is asked for came over the network, perhaps from a stranger: room is made for what is there.
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return {};
    bytes = std::min(bytes, static_cast<std::size_t>(status.st_size));
    const std::shared_ptr<std::byte[]> room{new std::byte[bytes]};  // not zeroed first
    const auto read = read_at(file.get(), {room.get(), bytes}, 0, what);
    return {room, {room.get(), read.value_or(0)}};
}

}  // namespace anel

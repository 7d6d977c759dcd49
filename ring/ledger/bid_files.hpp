// Places of bids on the volume: a file for each node, `.anel/bids/<id>`, written over with each bid.
#pragma once

#include "ring/core/placed_bids.hpp"
#include "ring/ledger/folder.hpp"

namespace anel {

class BidFiles : public BidStore {
public:
    /// Where the folder cannot be opened or made, every put says false: the ring works without.
    BidFiles(FileSystem& files, const std::filesystem::path& data, NodeId self);

    [[nodiscard]] bool put(std::span<const Blob> chunks) override;
    [[nodiscard]] Blob get(NodeId node, std::size_t bytes) override;

private:
    void find_folder();
    /// @return none where that cannot be done.
    [[nodiscard]] Descriptor open(NodeId node, int flags);
    /// Its name is what the others find it by.
    [[nodiscard]] bool own_file_has_its_name();

    FileSystem& files_;
    NodeId self_;
    std::filesystem::path path_;
    Descriptor folder_;
    Descriptor own_;
};

}  // namespace anel

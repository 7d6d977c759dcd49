// Gives the space of removed files back in steps, after their names are gone for good.
//
// The last close of a removed file frees all its blocks within one commit of the file system, which every sync waits
// for: 10 to 20 ms for a segment of 64 MiB where the disk is told of them (`discard`). In steps each commit frees little.
#pragma once

#include <chrono>
#include <deque>

#include "ring/ledger/files.hpp"

namespace anel {

class Freeing {
public:
    static constexpr off_t step_bytes = 4 << 20;
    /// Between two steps; at full load segments are trimmed about half as fast as this frees them.
    static constexpr std::chrono::milliseconds pause{10};
    /// So often a file that somebody else has open is looked at again, one pause between. Then the last close frees it.
    static constexpr unsigned patience = 100;

    /// Takes over files whose names went before, durably: a name that came back would lead to less than it had.
    void take(std::vector<Descriptor> removed);
    [[nodiscard]] bool done() const { return waiting_.empty(); }
    /// Cuts a file shorter, if nobody else has it open. Who opens it by its old name at this very moment sees that it
    /// has none any more (Segment::open), so nobody can read what is cut.
    void step(FileSystem& files);

private:
    struct Removed {
        Descriptor fd;
        unsigned looks = 0;
        bool alone = false;  ///< and so for ever, because it has no name
        off_t bytes = 0;     ///< what is left; known once it is alone
    };
    std::deque<Removed> waiting_;
};

}  // namespace anel

#include "ring/ledger/kept_segment.hpp"

#include "ring/ledger/adoption.hpp"

namespace anel {

Result<std::unique_ptr<Segment>> open_kept_segment(FileSystem& files, const Folders& folders, SegmentNumber number,
                                                   LedgerId ledger, const BootId& boot, Access access) {
    auto segment = Segment::open(files, folders.journal.get(), number, ledger, boot, access);
    if (!segment || !*segment) {
        return segment;
    }
    // In this order: the checkpoint was linked before its number was trimmed, and that before it was made anew.
    auto mark = newest_mark(files, folders, ledger);
    if (!mark) {
        return forward_error(mark);
    }
    if (*mark && (*mark)->segment > number) {
        return nullptr;
    }
    // Behind what was adopted with it stands text of output.txt: no record that a reboot finds there counts any more.
    auto adoption = newest_adoption(files, folders, ledger);
    if (!adoption) {
        return forward_error(adoption);
    }
    if (*adoption && (*adoption)->segment == number) {
        (*segment)->set_final_slots((*adoption)->round.value - (*segment)->base_round().value);
    }
    return segment;
}

}  // namespace anel

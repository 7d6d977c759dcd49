// Opening a segment by its number, safe against sleepers.
#pragma once

#include "ring/ledger/checkpoint_file.hpp"
#include "ring/ledger/segment.hpp"

namespace anel {

/// None where there is no such file, or where a checkpoint says that the number was trimmed: then a file of that
/// name is being removed, or a sleeping candidate made it anew and will find its grant void. It counts for nothing.
[[nodiscard]] Result<std::unique_ptr<Segment>> open_kept_segment(FileSystem& files, const Folders& folders,
                                                                 SegmentNumber number, LedgerId ledger,
                                                                 const BootId& boot, Access access);

}  // namespace anel

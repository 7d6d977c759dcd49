// Who works in a data folder: nodes say so with a shared lock, a repair asks for it alone.
//
// Nothing waits for this lock and no promise rests on it: what a repair does is harmless to a ring too. It keeps people
// from repairing under a ring's hands. The kernel drops it when its process ends, however that ends, and a process that
// is stopped keeps it.
#pragma once

#include "ring/ledger/folder.hpp"

namespace anel {

/// For as long as `fd` is open. `folder_unusable` while a repair is at work.
[[nodiscard]] Result<void> show_life(int fd, const Folders& folders);

/// For as long as `fd` is open nobody else lives here. `folder_unusable`: who does.
[[nodiscard]] Result<void> be_alone(int fd, const Folders& folders);

}  // namespace anel

#include "ring/ledger/freeing.hpp"

#include <algorithm>

namespace anel {

void Freeing::take(std::vector<Descriptor> removed) {
    for (auto& fd : removed) {
        waiting_.push_back({.fd = std::move(fd)});
    }
}

void Freeing::step(FileSystem& files) {
    if (waiting_.empty()) {
        return;
    }
    auto& file = waiting_.front();
    if (!file.alone) {
        struct stat status {};
        file.alone = files.has_alone(file.fd.get()) && ::fstat(file.fd.get(), &status) == 0 && status.st_nlink == 0;
        file.bytes = status.st_size;
    }
    if (file.alone) {
        file.bytes = std::max<off_t>(file.bytes - step_bytes, 0);
        if (files.shorten(file.fd.get(), file.bytes) == 0 && file.bytes > 0) {
            return;
        }
    } else if (++file.looks < patience) {
        return;
    }
    waiting_.pop_front();
}

}  // namespace anel

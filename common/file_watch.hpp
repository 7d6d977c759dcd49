// Hears of what others do to a file or in a folder (inotify). Some file systems tell nothing: no wait may rely on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "common/descriptor.hpp"

namespace anel {

class FileWatch {
public:
    FileWatch();

    /// @param events  inotify's, IN_MODIFY and the like. @return whether they will be told.
    bool add(const std::filesystem::path& path, std::uint32_t events);
    /// For a poll: readable when something happened; -1 where there is no inotify.
    [[nodiscard]] int descriptor() const { return inotify_.get(); }
    /// Forgets what happened so far.
    void take() const;
    /// Until something happens, `most` passes, or a signal comes; then forgets it.
    void wait(std::chrono::milliseconds most) const;

private:
    Descriptor inotify_;
};

}  // namespace anel

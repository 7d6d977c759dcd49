#include "client/doctor/volume.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>

#include "ring/ledger/check_start.hpp"
#include "ring/ledger/opened_ledger.hpp"

namespace anel::command::doctor {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;
/// An epoch needs a few KiB, and a checkpoint a few files; below this a node may refuse to start.
constexpr Room room_least{1 * mib, 16};
/// A node reserves ahead and keeps some segments until they are in a checkpoint.
constexpr std::uint64_t segments_at_hand = 4;

/// From linux/magic.h; what a ledger cannot use is named by its own check.
std::string file_system_named(long magic) {
    switch (static_cast<std::uint64_t>(magic) & 0xffffffffU) {
        case 0xef53: return "ext4";
        case 0x58465342: return "xfs";
        case 0x9123683e: return "btrfs";
        case 0x01021994: return "tmpfs";
        case 0x794c7630: return "overlayfs";
        case 0x2fc12fc1: return "zfs";
        case 0xf2f52010: return "f2fs";
        default: return fmt::format("file system {:#x}", static_cast<std::uint64_t>(magic) & 0xffffffffU);
    }
}

Finding kind_of(const std::string& folder, const Folders& folders) {
    struct statfs system {};
    struct stat status {};
    if (::fstatfs(folders.data.get(), &system) != 0 || ::fstat(folders.data.get(), &status) != 0) {
        return {Level::fail, "volume", folder, fmt::format("cannot be looked at: {}", std::strerror(errno))};
    }
    const auto kind = file_system_named(static_cast<long>(system.f_type));
    const auto owner = fmt::format("{}, owner uid {}, mode {:o}", kind, status.st_uid, status.st_mode & 07777U);
    if (kind == "tmpfs") {
        return {Level::warn, "volume", folder,
                owner + ": it is memory, and what was acked is gone after a reboot: put it on a disk"};
    }
    return {Level::ok, "volume", folder, owner};
}

Finding room_of(const std::string& folder, const Folders& folders, const Settings& settings) {
    struct statvfs mount {};
    if (::fstatvfs(folders.data.get(), &mount) != 0) {
        return {Level::fail, "space", folder, fmt::format("cannot be looked at: {}", std::strerror(errno))};
    }
    // Some file systems (btrfs) make files as long as there is room, and say 0.
    const auto files = mount.f_files == 0 ? std::uint64_t{UINT64_MAX} : std::uint64_t{mount.f_favail};
    return judge_room(folder, {mount.f_bavail * mount.f_frsize, files}, settings.node.segment_bytes);
}

/// What a ledger needs of the file system, tried beside it.
Finding trial_in(const std::string& folder, FileSystem& files, const Folders& folders) {
    Folders beside{.path = folders.path, .data = {}, .anel = {}, .journal = {}, .checkpoint = {}};
    beside.anel = Descriptor{::openat(folders.data.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (const auto fit = try_file_system(files, beside); !fit) {
        return {Level::fail, "file system", folder, fit.error().text};
    }
    return {Level::ok, "file system", folder,
            "makes files without a name and links them, reserves space, shares maps, syncs"};
}

Finding without_ledger(const std::string& folder, FileSystem& files, const Folders& folders, bool adopt) {
    const auto output = Output::open(files, folders, false);
    const auto size = output && *output ? (*output)->size() : Result<std::uint64_t>{0};
    if (!output || !size) return {Level::fail, "ledger", folder, (output ? size.error() : output.error()).text};
    if (*size > 0 && !adopt) {
        return {Level::fail, "ledger", folder,
                fmt::format("none, and {} has {} bytes: if .anel was removed, put it back; else move the file away, or "
                            "start once with ANEL_ADOPT=true to go on behind it",
                            Output::name, *size)};
    }
    return {Level::ok, "ledger", folder, "none yet; the first node makes it"};
}

Finding ledger_in(const std::string& folder, FileSystem& files, const Settings& settings) {
    const auto opened = open_to_look(files, folder);
    if (!opened) return {Level::fail, "ledger", folder, opened.error().text};
    const auto& identity = opened->file.identity();
    for (const auto& checked : {check_identity(folder, identity, settings.node.nodes, settings.node.format),
                                check_start(files, opened->folders, opened->file, opened->mark, opened->output)}) {
        if (!checked) return {Level::fail, "ledger", folder, checked.error().text};
    }
    return {Level::ok, "ledger", folder,
            fmt::format("of {} {}, untouched by others where a node looks at its start (anel verify reads it all)",
                        identity.nodes.size(), identity.nodes.size() == 1 ? "node" : "nodes")};
}

}  // namespace

Finding judge_room(const std::string& folder, Room room, std::uint64_t segment_bytes) {
    const auto free = fmt::format("{} MiB free", room.bytes / mib);
    if (room.bytes < room_least.bytes) {
        return {Level::fail, "space", folder, free + ": make room; a node may refuse to start"};
    }
    if (room.files < room_least.files) {
        return {Level::fail, "space", folder, fmt::format("{} files can still be made: remove some", room.files)};
    }
    if (room.bytes < segments_at_hand * segment_bytes) {
        return {Level::warn, "space", folder,
                fmt::format("{}, less than {} segments of the journal (ANEL_SEGMENT_BYTES): make room soon", free,
                            segments_at_hand)};
    }
    return {Level::ok, "space", folder, free};
}

Findings check_volume(const Settings& settings) {
    FileSystem files;
    const auto& folder = settings.data;
    auto folders = open_data_folder(folder, std::nullopt);
    if (!folders) return {{Level::fail, "volume", folder, folders.error().text}};
    Findings findings{kind_of(folder, *folders), room_of(folder, *folders, settings),
                      trial_in(folder, files, *folders)};
    const auto inner = open_inner_folders(files, *folders);
    if (!inner) findings.push_back({Level::fail, "ledger", folder, inner.error().text});
    else if (!*inner) findings.push_back(without_ledger(folder, files, *folders, settings.adopt));
    else findings.push_back(ledger_in(folder, files, settings));
    return findings;
}

}  // namespace anel::command::doctor

#include "ring/ledger/folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <random>

#include "ring/ledger/file_identity.hpp"

namespace anel {
namespace {

struct Unfit {
    long magic;
    const char* name;
};
/// File systems whose maps are not shared by all who mount them, or that lie about fsync. From linux/magic.h and
/// the sources of those that are not listed there.
constexpr Unfit unfit[] = {
    {0x6969, "nfs"},          {0xff534d42, "cifs"},   {0xfe534d42, "smb2"},     {0x517b, "smb"},
    {0x65735546, "fuse"},     {0x01021997, "9p"},     {0x6a656a63, "virtiofs"}, {0x00c36400, "ceph"},
    {0x5346414f, "afs"},      {0x6b414653, "afs"},    {0x564c, "ncp"},          {0x73757245, "coda"},
    {0x47504653, "gpfs"},     {0x0bd00bd0, "lustre"}, {0x7461636f, "ocfs2"},    {0x01161970, "gfs2"},
    {0x20030528, "orangefs"}, {0x786f4256, "vboxsf"}, {0xbacbacbc, "vmhgfs"},
};

tl::unexpected<Error> unusable(std::string text) { return failure(ErrorCode::folder_unusable, std::move(text)); }

Result<Descriptor> open_folder(int parent, const char* name) {
    const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) {
        return io_failure(fmt::format("open the folder {}", name), errno);
    }
    return Descriptor{fd};
}

/// What makes a folder writable for this process, whose user its owner or mode keeps out.
std::string way_to_write(const std::string& name, const struct stat& status) {
    auto way = fmt::format("chown -R {}:{} {}", ::geteuid(), ::getegid(), name);
    if (status.st_uid == ::geteuid()) return fmt::format("chmod u+rwx {}, and {}", name, way);
    // Nobody shall be led to run a node as root.
    if (status.st_uid == 0) return way;
    return fmt::format("{}, or run every node as its owner (with Docker: --user {}:{})", way, status.st_uid,
                       status.st_gid);
}

}  // namespace

Result<Folders> open_data_folder(const std::filesystem::path& path, std::optional<long> magic) {
    const std::string name = path.string();
    Folders folders{.path = path, .data = {}, .anel = {}, .journal = {}, .checkpoint = {}};
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        switch (errno) {
            case ENOENT: return unusable(fmt::format("data folder {} is missing: make it, or name another", name));
            case ENOTDIR: return unusable(fmt::format("data folder {} is not a folder: name one", name));
            case EACCES: {
                Error error{ErrorCode::folder_unusable, "open it"};
                return tl::unexpected<Error>{explain(folders, std::move(error), EACCES)};
            }
            default: return unusable(fmt::format("cannot open data folder {}: {}", name, std::strerror(errno)));
        }
    }
    folders.data = Descriptor{fd};
    struct statfs system {};
    struct statvfs mount {};
    if (::fstatfs(fd, &system) != 0 || ::fstatvfs(fd, &mount) != 0) {
        return unusable(fmt::format("cannot look at the file system of {}: {}", name, std::strerror(errno)));
    }
    const auto found = static_cast<std::uint64_t>(magic.value_or(static_cast<long>(system.f_type))) & 0xffffffffU;
    for (const auto& [bad, bad_name] : unfit) {
        if (found == static_cast<std::uint64_t>(bad)) {
            return unusable(
                fmt::format("data folder {} is on {}, where shared maps and fsync cannot be relied on: put "
                            "it on a file system of this machine (with Docker: a named volume)",
                            name, bad_name));
        }
    }
    if ((mount.f_flag & ST_RDONLY) != 0) {
        return tl::unexpected<Error>{explain(folders, {}, EROFS)};
    }
    if (::faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        return tl::unexpected<Error>{explain(folders, {}, errno)};
    }
    return folders;
}

Result<Folders> open_folder_to_read(const std::filesystem::path& path) {
    Folders folders{.path = path, .data = {}, .anel = {}, .journal = {}, .checkpoint = {}};
    folders.data = Descriptor{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folders.data.valid()) {
        return unusable(fmt::format("cannot open folder {}: {}", path.string(), std::strerror(errno)));
    }
    return folders;
}

Error explain(const Folders& folders, Error error, int error_number) {
    const std::string name = folders.path.string();
    switch (error_number) {
        case EACCES:
        case EPERM: {
            struct stat status {};
            ::stat(folders.path.c_str(), &status);
            return {ErrorCode::folder_unusable,
                    fmt::format("data folder {} (owner uid {}, mode {:o}) cannot be written by uid {}: {}", name,
                                status.st_uid, status.st_mode & 07777U, ::geteuid(), way_to_write(name, status))};
        }
        case EROFS:
            return {ErrorCode::folder_unusable,
                    fmt::format("data folder {} is mounted read-only: mount it writable (only readers may have :ro)",
                                name)};
        case ENOSPC:
        case EDQUOT:
            return {ErrorCode::folder_unusable, fmt::format("data folder {} is on a full disk: free some space", name)};
        default: return error;
    }
}

Result<Descriptor> make_folder(FileSystem& files, const Folders& folders, int parent, const char* name) {
    const bool made = files.make_folder(parent, name, 0777) == 0;
    if (!made && errno != EEXIST) {
        const int error = errno;
        auto failed = io_failure(fmt::format("make the folder {}", name), error);
        return tl::unexpected<Error>{explain(folders, failed.value(), error)};
    }
    // Also where another node made it: that node may not have come to its fsync yet.
    if (auto synced = fsync_folder(files, parent, name); !synced) {
        return forward_error(synced);
    }
    auto fd = open_folder(parent, name);
    if (fd && !fd->valid()) {
        return failure(ErrorCode::outside_hands, fmt::format("the folder {} was removed while it was opened", name));
    }
    return fd;
}

Result<void> make_inner_folders(FileSystem& files, Folders& folders) {
    const auto make = [&](Descriptor& into, int parent, const char* name) -> Result<void> {
        auto made = make_folder(files, folders, parent, name);
        if (!made) {
            return forward_error(made);
        }
        into = std::move(*made);
        return {};
    };
    return make(folders.anel, folders.data.get(), ".anel")
        .and_then([&] { return make(folders.journal, folders.anel.get(), "journal"); })
        .and_then([&] { return make(folders.checkpoint, folders.anel.get(), "checkpoint"); });
}

Result<bool> open_inner_folders(FileSystem&, Folders& folders) {
    auto anel = open_folder(folders.data.get(), ".anel");
    if (!anel || !anel->valid()) {
        return anel ? Result<bool>{false} : forward_error(anel);
    }
    folders.anel = std::move(*anel);
    for (const auto& [into, name] : {std::pair{&folders.journal, "journal"}, {&folders.checkpoint, "checkpoint"}}) {
        auto opened = open_folder(folders.anel.get(), name);
        if (!opened) {
            return forward_error(opened);
        }
        *into = std::move(*opened);
    }
    return true;
}

Result<void> try_file_system(FileSystem& files, const Folders& folders) {
    const auto lacks = [&](std::string_view what, int error) -> Result<void> {
        if (error == ENOSPC || error == EDQUOT) {
            return {};
        }
        return unusable(
            fmt::format("the file system of {} cannot {} ({}), which the ledger needs: use ext4, xfs, btrfs "
                        "or tmpfs of this machine (with Docker: a named volume)",
                        folders.path.string(), what, std::strerror(error)));
    };
    const Descriptor fd{files.open(folders.anel.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666)};
    if (!fd.valid()) {
        if (errno == EACCES || errno == EPERM || errno == EROFS) {
            return tl::unexpected<Error>{explain(folders, {}, errno)};
        }
        return lacks("make files without a name (O_TMPFILE)", errno);
    }
    const Bytes zeros(MappedPage::bytes);
    if (files.reserve(fd.get(), 0, static_cast<off_t>(zeros.size())) != 0) {
        return lacks("reserve space (fallocate with FALLOC_FL_KEEP_SIZE)", errno);
    }
    if (auto written = write_all(files, fd.get(), {zeros}, 0, "probe.write", "a trial file"); !written) {
        return written.error().code == ErrorCode::disk_full ? Result<void>{} : forward_error(written);
    }
    if (files.fsync(fd.get()) != 0) {
        return lacks("make a file durable (fsync)", errno);
    }
    std::random_device random;
    const std::string name = fmt::format("trial-{:08x}{:08x}", random(), random());
    if (files.link(fd.get(), folders.anel.get(), name.c_str()) != 0) {
        return lacks("name a file that had no name (linkat)", errno);
    }
    const Descriptor again{files.open(folders.anel.get(), name.c_str(), O_RDWR | O_CLOEXEC, 0)};
    files.unlink(folders.anel.get(), name.c_str());
    auto left = MappedPage::map(fd.get(), true, "a trial file");
    auto right = MappedPage::map(again.get(), false, "a trial file");
    if (!left || !right) {
        return lacks("map a file that others map too (MAP_SHARED)", ENODEV);
    }
    const std::uint64_t mark = (std::uint64_t{random()} << 32U) | random();
    left->store(0, mark);
    std::array<std::byte, sizeof mark> read{};
    auto got = read_at(again.get(), read, 0, "a trial file");
    const auto present = identity_of(fd.get(), "a trial file");
    const auto named = identity_of(again.get(), "a trial file");
    if (!present || !named || !same_file(*present, *named)) {
        return lacks("tell that a file with a name is the one that had none", ENOTSUP);
    }
    if (right->load(0) != mark || !got || std::memcmp(read.data(), &mark, sizeof mark) != 0) {
        return lacks("show every process the same bytes at once (shared maps)", ENOTSUP);
    }
    return {};
}

}  // namespace anel

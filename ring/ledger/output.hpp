// output.txt: written at fixed offsets only, so that every write may be repeated by anybody at any later moment.
#pragma once

#include <functional>

#include "ring/ledger/file_identity.hpp"
#include "ring/ledger/folder.hpp"

namespace anel {

/// One open output.txt. Each thread that syncs has its own.
class Output {
public:
    static constexpr const char* name = "output.txt";
    static constexpr std::uint64_t tail_bytes = 64 * 1024;
    /// Text goes to the disk in blocks of so many bytes, each begun when it is full. A checkpoint's sync would
    /// otherwise find all of it to do, and hold up the journal's.
    static constexpr std::uint64_t write_back_bytes = 512 * 1024;

    /// None where the file is missing.
    [[nodiscard]] static Result<std::optional<Output>> open(FileSystem& files, const Folders& folders, bool writable);
    /// Makes an empty, durable output.txt unless there is one.
    [[nodiscard]] static Result<void> create(FileSystem& files, const Folders& folders);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const FileIdentity& identity() const { return identity_; }
    [[nodiscard]] Result<std::uint64_t> size() const;

    /// `disk_full` before anything was decided, `io_failed`.
    [[nodiscard]] Result<void> reserve(std::uint64_t from, std::uint64_t end);
    [[nodiscard]] Result<void> write(std::string_view text, std::uint64_t offset);
    /// Bytes [begin, end) are by definition blanks with a line feed at the end.
    [[nodiscard]] Result<void> write_filler(std::uint64_t begin, std::uint64_t end);
    [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into, std::uint64_t offset) const;
    [[nodiscard]] Result<void> make_durable();

    /// XXH3 of the last 64 KiB before `end`. `outside_hands` when the file is shorter.
    [[nodiscard]] Result<std::uint64_t> tail_hash(std::uint64_t end) const;
    [[nodiscard]] static std::uint64_t hash_of_tail(BytesView tail);

    /// Cheap, before each decide: output.txt still is this file and has at least `bytes`. `outside_hands`.
    [[nodiscard]] Result<void> check(std::uint64_t bytes) const;

private:
    FileSystem* files_ = nullptr;
    int folder_ = -1;
    std::filesystem::path path_;  ///< of the data folder, for messages
    Descriptor fd_;
    FileIdentity identity_;
    Reservation reservation_;
};

/// Calls `piece` with the filler's bytes for [begin, end), a part at a time.
[[nodiscard]] Result<void> for_each_filler(std::uint64_t begin, std::uint64_t end,
                                           const std::function<Result<void>(std::string_view, std::uint64_t)>& piece);

}  // namespace anel

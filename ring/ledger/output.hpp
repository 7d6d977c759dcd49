// The output: one row of bytes in a series of files. Written at fixed offsets only, so that every write may be repeated
// by anybody at any later moment.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "ring/ledger/folder.hpp"
#include "ring/ledger/output_place.hpp"
#include "ring/ledger/series_file.hpp"

namespace anel {

/// An open output: output.txt, and what is needed of the finished files before it. All offsets are of the whole series.
/// Each thread that syncs has its own.
class Output {
public:
    static constexpr const char* name = "output.txt";
    static constexpr std::uint64_t tail_bytes = 64 * 1024;
    /// Text goes to the disk in blocks of so many bytes, each begun when it is full. A checkpoint's sync would
    /// otherwise find all of it to do, and hold up the journal's.
    static constexpr std::uint64_t write_back_bytes = 512 * 1024;

    /// None where output.txt is missing.
    [[nodiscard]] static Result<std::optional<Output>> open(FileSystem& files, const Folders& folders, bool writable);
    /// Makes an empty, durable output.txt unless there is one.
    [[nodiscard]] static Result<void> create(FileSystem& files, const Folders& folders);

    /// Of output.txt.
    [[nodiscard]] const FileIdentity& identity() const { return open_.rbegin()->second.identity; }
    [[nodiscard]] const OutputPlace& place() const { return places_.back(); }
    /// All that were ever begun, the oldest first.
    [[nodiscard]] const std::vector<OutputPlace>& places() const { return places_; }
    /// The file that has the last byte before `end`.
    [[nodiscard]] const OutputPlace& place_before(std::uint64_t end) const;
    [[nodiscard]] Result<std::uint64_t> size() const;
    /// Where the files begin that were not removed. One that is put back is seen by who opens the output anew.
    [[nodiscard]] Result<std::uint64_t> begin() const;
    /// Bytes of the finished file as it is; none: it was removed.
    [[nodiscard]] Result<std::optional<std::uint64_t>> size_of(const OutputPlace& place) const;
    /// Where a file ends; the newest has no end.
    [[nodiscard]] std::uint64_t end_of(std::uint64_t file) const;

    /// `disk_full` before anything was decided, `io_failed`.
    [[nodiscard]] Result<void> reserve(std::uint64_t from, std::uint64_t end);
    /// What belongs into a finished file that was removed is not written.
    [[nodiscard]] Result<void> write(std::string_view text, std::uint64_t offset);
    /// Bytes [begin, end) are by definition blanks with a line feed at the end.
    [[nodiscard]] Result<void> write_filler(std::uint64_t begin, std::uint64_t end);
    /// Fewer bytes than were asked for where the output ends, or a file is missing or was cut.
    [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into, std::uint64_t offset) const;
    /// All files that have something behind `from`.
    [[nodiscard]] Result<void> make_durable(std::uint64_t from);

    /// XXH3 of the last 64 KiB before `end`, of one file. `outside_hands` when it is shorter.
    [[nodiscard]] Result<std::uint64_t> tail_hash(std::uint64_t end) const;
    [[nodiscard]] static std::uint64_t hash_of_tail(BytesView tail);

    /// Cheap: output.txt still is this file and the output has at least `bytes`. `outside_hands`.
    [[nodiscard]] Result<void> check(std::uint64_t bytes) const;
    /// The same, before each decide: and nothing stands behind them.
    [[nodiscard]] Result<void> check_end(std::uint64_t bytes) const;
    /// Nothing is in the way of a new file. `outside_hands`.
    [[nodiscard]] Result<void> check_turn() const;

    // --- output_turn.cpp -------------------------------------------------------------------------
    /// Makes the file behind the newest one; it waits for a segment that names it. `disk_full`.
    [[nodiscard]] Result<OutputPlace> prepare_next() const;
    /// A segment names this file: makes it output.txt, unless somebody did. `outside_hands`.
    [[nodiscard]] Result<void> turn(const OutputPlace& place);
    /// Knows of newer files, as far as they are output.txt or were. For who only looks.
    [[nodiscard]] Result<void> follow(const OutputPlace& place);
    /// Takes over what another one has open of newer files.
    void take(Output other);
    /// Closes the files that end there or before.
    void forget_below(std::uint64_t offset);

private:
    struct File {
        Descriptor fd;
        FileIdentity identity;
        Reservation reservation;
    };
    /// @return whether output.txt is there, and still was the newest file when it was open.
    enum class Found { it, none, another };
    [[nodiscard]] Result<Found> open_newest();
    [[nodiscard]] std::size_t index_at(std::uint64_t offset) const;
    /// Nullptr: it was removed.
    [[nodiscard]] Result<File*> file(std::uint64_t number) const;
    /// Bytes of output.txt, which still is this file and has at least what `bytes` of the output leave for it.
    [[nodiscard]] Result<std::uint64_t> checked_size(std::uint64_t bytes) const;
    [[nodiscard]] Result<bool> waits(const OutputPlace& place) const;
    [[nodiscard]] Result<void> name_finished(const OutputPlace& next);

    FileSystem* files_ = nullptr;
    int data_ = -1;  ///< the folders, open as long as their owner lives
    int anel_ = -1;
    int journal_ = -1;
    std::filesystem::path path_;  ///< of the data folder, for messages
    bool writable_ = false;
    std::vector<OutputPlace> places_;
    mutable std::size_t first_ = 0;               ///< index of the oldest file that was there at the last look
    mutable std::map<std::uint64_t, File> open_;  ///< by number; the newest is always there
};

/// Calls `piece` with the filler's bytes for [begin, end), a part at a time.
[[nodiscard]] Result<void> for_each_filler(std::uint64_t begin, std::uint64_t end,
                                           const std::function<Result<void>(std::string_view, std::uint64_t)>& piece);

}  // namespace anel

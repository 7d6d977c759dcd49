// A small world for ledger tests: a folder, nodes that open a ledger in it, rounds that are easy to check.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/file_ledger.hpp"

namespace anel::test {

/// All files of the output, joined.
[[nodiscard]] std::string output_of(const std::filesystem::path& folder);

/// A folder that is gone with this object.
class Folder {
public:
    explicit Folder(const std::filesystem::path& below = std::filesystem::temp_directory_path());
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::string output() const;
    [[nodiscard]] std::vector<std::uint64_t> numbers(const char* folder) const;

private:
    std::filesystem::path path_;
};

/// Fail points that are disarmed with this object.
struct Armed {
    explicit Armed(std::string_view text);
    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;
    ~Armed();
};

/// Round `round` as every test writes it: one message of client "c", whose client sequence is the round.
[[nodiscard]] RoundRecord make_round(std::uint64_t round, std::string_view who = "a", std::size_t filler = 0);
[[nodiscard]] std::string text_of(std::uint64_t round, std::string_view who = "a", std::size_t filler = 0);
/// The session table after `round`.
[[nodiscard]] Snapshot make_snapshot(std::uint64_t round);

[[nodiscard]] LedgerOptions options_for(const Folder& folder, std::uint64_t self = 0);

/// Opens, or fails the test with the reason.
[[nodiscard]] std::unique_ptr<FileLedger> must_open(const LedgerOptions& options);
[[nodiscard]] Grant must_grant(FileLedger& ledger, std::uint64_t highest_named);
/// Record, decide, output.
[[nodiscard]] Result<void> append(FileLedger& ledger, SegmentNumber segment, const RoundRecord& record);
void must_append(FileLedger& ledger, SegmentNumber segment, const RoundRecord& record);
/// Opens a ledger with a callback, syncs up to `round` and waits until it is durable.
void must_sync(FileLedger& ledger, SegmentNumber segment, std::uint64_t round);
void must_checkpoint(FileLedger& ledger, std::uint64_t round);

/// Runs `work` in a process of its own; returns its exit code, or -signal.
int in_process(const std::function<int()>& work);
[[nodiscard]] int start_process(const std::function<int()>& work);
int wait_process(int pid);

/// 40 bytes of a boot that is not ours.
[[nodiscard]] BootId boot(char name);

}  // namespace anel::test

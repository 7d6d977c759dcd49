#include "client/command/bench/thinning.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "ring/ledger/block_sums.hpp"
#include "ring/ledger/checkpoint_file.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/ledger_file.hpp"

namespace anel::command::bench {
namespace {

/// So much before the checkpoint stays: the journal begins a segment earlier, and what it has is compared at the end.
constexpr std::uint64_t kept_blocks = 256;

/// The mark of the newest checkpoint; none: there is none yet.
Result<std::optional<CheckpointMark>> mark_of(FileSystem& files, Folders& folders) {
    auto inner = open_inner_folders(files, folders);
    if (!inner) return tl::unexpected{inner.error()};
    auto file = *inner ? LedgerFile::open(files, folders, false) : std::optional<LedgerFile>{};
    if (!file) return tl::unexpected{file.error()};
    if (!*file) return std::nullopt;
    return newest_mark(files, folders, (*file)->identity().id);
}

std::string check_block(int output, std::uint64_t block, std::uint32_t sum, Bytes& bytes) {
    bytes.resize(block_bytes);
    auto got = read_at(output, bytes, block * block_bytes, "output.txt");
    if (!got) return got.error().text;
    if (*got == bytes.size() && crc32c(bytes) == sum) return {};
    return fmt::format("output.txt differs somewhere in the MiB from byte {}", block * block_bytes);
}

}  // namespace

Thinning::Thinning(std::filesystem::path data) : data_{std::move(data)}, thread_{[this] { run(); }} {}

std::string Thinning::finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return problem_;
}

void Thinning::run() {
    while (problem_.empty() && !stop_) {
        problem_ = turn();
        for (int wait = 0; wait < 50 && !stop_; ++wait) std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}

std::string Thinning::turn() {
    FileSystem files;
    Folders folders{.path = data_, .data = {}, .anel = {}, .journal = {}, .checkpoint = {}};
    folders.data = Descriptor{::open(data_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folders.data.valid()) return fmt::format("{}: {}", data_.string(), std::strerror(errno));
    auto mark = mark_of(files, folders);
    if (!mark) return mark.error().text;
    const std::uint64_t finished = *mark ? (*mark)->output_end / block_bytes : 0;
    if (finished <= done_ + kept_blocks) return {};
    const std::uint64_t until = finished - kept_blocks;
    auto sums = read_block_sums(files, folders, until);
    if (!sums) return sums.error().text;
    const Descriptor output{::openat(folders.data.get(), "output.txt", O_RDWR | O_CLOEXEC)};
    if (!output.valid()) return fmt::format("output.txt: {}", std::strerror(errno));
    Bytes bytes;
    for (auto block = done_.load(); block < until && !stop_; ++block) {
        if (auto problem = check_block(output.get(), block, (*sums)[block], bytes); !problem.empty()) return problem;
        if (::fallocate(output.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        static_cast<off_t>(block * block_bytes), static_cast<off_t>(block_bytes)) != 0) {
            return fmt::format("no hole can be made in output.txt: {}", std::strerror(errno));
        }
        done_ = block + 1;
    }
    return {};
}

}  // namespace anel::command::bench

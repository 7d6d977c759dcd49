#include "ring/ledger/checkpoint_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "ring/ledger/bytes.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/file_header.hpp"
#include "ring/ledger/record.hpp"

namespace anel {
namespace {

constexpr std::array<char, 8> checkpoint_magic{'A', 'N', 'E', 'L', 'C', 'H', 'K', '\n'};
constexpr std::uint32_t checkpoint_version = 1;

struct Header {
    std::array<char, 8> magic = checkpoint_magic;
    std::uint32_t version = checkpoint_version;
    std::uint32_t crc = 0;  ///< CRC32C of the header behind this field
    std::uint64_t ledger = 0;
    std::uint64_t round = 0;
    std::uint64_t sequence = 0;
    std::int64_t wall_us = 0;
    std::uint64_t segment = 0;
    std::uint64_t output_end = 0;
    std::uint64_t hash = 0;
    std::uint64_t tail_hash = 0;
    std::uint64_t body_bytes = 0;
    std::uint64_t sessions = 0;
    std::uint32_t body_crc = 0;
    std::uint32_t block_crc = 0;
};

CheckpointMark mark_of(const Header& header) {
    return {.round = {header.round},
            .sequence = {header.sequence},
            .wall_us = header.wall_us,
            .segment = {header.segment},
            .output_end = header.output_end,
            .hash = header.hash,
            .tail_hash = header.tail_hash,
            .block_crc = header.block_crc};
}

std::optional<Snapshot> decode_body(const Header& header, BytesView body) {
    if (body.size() != header.body_bytes || crc32c(body) != header.body_crc || header.sessions > body.size()) {
        return std::nullopt;
    }
    Snapshot snapshot{
        .round = {header.round}, .sequence = {header.sequence}, .wall_us = header.wall_us, .sessions = {}};
    snapshot.sessions.reserve(header.sessions);
    ByteReader reader{body};
    for (std::uint64_t index = 0; index < header.sessions && reader.ok(); ++index) {
        std::string client{reader.short_text()};
        const Session session = decode_session(reader);
        snapshot.sessions.emplace_back(std::move(client), session);
    }
    if (!reader.done()) {
        return std::nullopt;
    }
    return snapshot;
}

struct Read {
    Header header;
    std::optional<Snapshot> snapshot;
};
enum class Want { mark, sessions };

/// None where the file vanished or is not valid.
Result<std::optional<Read>> read_one(FileSystem& files, const Folders& folders, LedgerId ledger, std::uint64_t round,
                                     Want want) {
    const std::string what = fmt::format(".anel/checkpoint/{}", round);
    auto fd = open_existing(files, folders.checkpoint.get(), std::to_string(round), O_RDONLY);
    if (!fd) {
        return forward_error(fd);
    }
    if (!fd->valid()) {
        return std::optional<Read>{};
    }
    auto found = read_header<Header>(fd->get(), 0, what);
    if (!found) {
        return forward_error(found);
    }
    const Header& header = *found;
    if (header.magic == checkpoint_magic && header.version > checkpoint_version) {
        return failure(ErrorCode::unsupported, fmt::format("{} was written by a newer program: use that one", what));
    }
    if (header.magic != checkpoint_magic || header.crc != crc_of_header(header) || header.round != round ||
        header.ledger != ledger.value) {
        return std::optional<Read>{};
    }
    Read read{.header = header, .snapshot = {}};
    if (want == Want::sessions) {
        auto status = status_of(fd->get(), what);
        if (!status) {
            return forward_error(status);
        }
        if (static_cast<std::uint64_t>(status->st_size) != sizeof(Header) + header.body_bytes) {
            return std::optional<Read>{};
        }
        Bytes body(header.body_bytes);
        auto got = read_at(fd->get(), body, sizeof(Header), what);
        if (!got) {
            return forward_error(got);
        }
        read.snapshot = decode_body(header, BytesView{body}.first(*got));
        if (!read.snapshot) {
            return std::optional<Read>{};
        }
    }
    return std::optional{std::move(read)};
}

Result<std::optional<Read>> newest(FileSystem& files, const Folders& folders, LedgerId ledger, Want want) {
    // Whoever deletes one has linked a higher one before, so a vanished file means: look again.
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        auto rounds = list_numbers(folders.checkpoint.get(), ".anel/checkpoint");
        if (!rounds) {
            return forward_error(rounds);
        }
        std::optional<Read> found;
        for (auto round = rounds->rbegin(); round != rounds->rend() && !found; ++round) {
            auto read = read_one(files, folders, ledger, *round, want);
            if (!read) {
                return read;
            }
            found = std::move(*read);
        }
        // A listing is no snapshot: only one that stayed the same proves that nothing higher was passed over.
        auto again = list_numbers(folders.checkpoint.get(), ".anel/checkpoint");
        if (!again) {
            return forward_error(again);
        }
        if (*again == *rounds) {
            return found;
        }
    }
    return failure(ErrorCode::io_failed, "the checkpoints change faster than they can be read");
}

}  // namespace

Result<void> write_checkpoint(FileSystem& files, const Folders& folders, LedgerId ledger,
                              const Checkpoint& checkpoint) {
    const auto& mark = checkpoint.mark;
    Bytes body;
    body.reserve(checkpoint.snapshot.sessions.size() * 64);
    for (const auto& [client, session] : checkpoint.snapshot.sessions) {
        ByteWriter{body}.short_text(client);
        encode_session(session, body);
    }
    Header header;
    header.ledger = ledger.value;
    header.round = mark.round.value;
    header.sequence = mark.sequence.value;
    header.wall_us = mark.wall_us;
    header.segment = mark.segment.value;
    header.output_end = mark.output_end;
    header.hash = mark.hash;
    header.tail_hash = mark.tail_hash;
    header.body_bytes = body.size();
    header.sessions = checkpoint.snapshot.sessions.size();
    header.body_crc = crc32c(body);
    header.block_crc = mark.block_crc;
    header.crc = crc_of_header(header);
    auto fd = open_unnamed(files, folders.checkpoint.get(), "a checkpoint");
    if (!fd) {
        return forward_error(fd);
    }
    if (auto written = write_all(files, fd->get(), {bytes_of(header), body}, 0, "checkpoint.write", "a checkpoint");
        !written) {
        return written;
    }
    if (files.fsync(fd->get()) != 0) {
        return sync_failure("a checkpoint", errno);
    }
    fail_points::pass("checkpoint.before_link");
    auto linked = link_file(files, fd->get(), folders.checkpoint.get(), std::to_string(mark.round.value));
    if (!linked) {
        return forward_error(linked);
    }
    return fsync_folder(files, folders.checkpoint.get(), ".anel/checkpoint");
}

Result<std::optional<Checkpoint>> newest_checkpoint(FileSystem& files, const Folders& folders, LedgerId ledger) {
    auto read = newest(files, folders, ledger, Want::sessions);
    if (!read) {
        return forward_error(read);
    }
    if (!*read) {
        return std::optional<Checkpoint>{};
    }
    return std::optional{Checkpoint{.mark = mark_of((*read)->header), .snapshot = std::move(*(*read)->snapshot)}};
}

Result<std::optional<CheckpointMark>> newest_mark(FileSystem& files, const Folders& folders, LedgerId ledger) {
    auto read = newest(files, folders, ledger, Want::mark);
    if (!read) {
        return forward_error(read);
    }
    if (!*read) {
        return std::optional<CheckpointMark>{};
    }
    return std::optional{mark_of((*read)->header)};
}

Result<std::vector<Descriptor>> trim_below(FileSystem& files, const Folders& folders, const CheckpointMark& mark) {
    std::vector<Descriptor> removed;
    const auto remove = [&](int folder, std::uint64_t limit, const char* what, bool keep_open) -> Result<void> {
        auto numbers = list_numbers(folder, what);
        if (!numbers) {
            return forward_error(numbers);
        }
        for (const auto number : *numbers) {
            if (number >= limit) {
                continue;
            }
            const auto name = std::to_string(number);
            // One that cannot be opened is removed as well; then its last close frees it.
            auto opened = keep_open ? open_existing(files, folder, name, O_RDWR) : Descriptor{};
            fail_points::pass("trim.unlink");
            if (files.unlink(folder, name.c_str()) == 0) {
                if (opened && opened->valid()) {
                    removed.push_back(std::move(*opened));
                }
            } else if (errno != ENOENT) {
                return io_failure(fmt::format("remove {}/{}", what, number), errno);
            }
        }
        return {};
    };
    return remove(folders.checkpoint.get(), mark.round.value, ".anel/checkpoint", false)
        .and_then([&] { return remove(folders.journal.get(), mark.segment.value, ".anel/journal", true); })
        .map([&] { return std::move(removed); });
}

}  // namespace anel

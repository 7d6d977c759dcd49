#include "ring/ledger/adoption.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "ring/ledger/bytes.hpp"
#include "ring/ledger/crc32c.hpp"
#include "ring/ledger/file_header.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {
namespace {

constexpr const char* folder_name = "adopted";
constexpr std::array<char, 8> adoption_magic{'A', 'N', 'E', 'L', 'A', 'D', 'O', '\n'};
constexpr std::uint32_t adoption_version = 2;  // 1 had no checksum of the tail

struct Header {
    std::array<char, 8> magic = adoption_magic;
    std::uint32_t version = adoption_version;
    std::uint32_t crc = 0;  ///< CRC32C of the header behind this field
    std::uint64_t ledger = 0;
    std::uint64_t number = 0;
    FileIdentity ledger_file;
    FileIdentity output;
    std::uint64_t round = 0;
    std::uint64_t segment = 0;
    std::uint64_t output_end = 0;
    std::uint64_t tail_hash = 0;
    std::uint64_t tail_end = 0;
    std::uint64_t base_offset = 0;
    std::uint64_t pieces = 0;
    std::uint32_t body_crc = 0;
    std::uint32_t tail_crc = 0;
};
struct Piece {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint32_t crc = 0;
    std::uint32_t blank = 0;
};

Adoption decode(const Header& header, const std::vector<Piece>& pieces) {
    Adoption adoption{.number = header.number,
                      .ledger_file = header.ledger_file,
                      .output = header.output,
                      .round = {header.round},
                      .segment = {header.segment},
                      .output_end = header.output_end,
                      .tail_hash = header.tail_hash,
                      .tail_end = header.tail_end,
                      .tail_crc = header.version > 1 ? std::optional{header.tail_crc} : std::nullopt,
                      .base_offset = header.base_offset,
                      .pieces = {}};
    for (const auto& piece : pieces) {
        adoption.pieces.push_back({{piece.begin, piece.end}, piece.crc, piece.blank != 0});
    }
    return adoption;
}

Result<Descriptor> open_adopted(FileSystem& files, const Folders& folders) {
    return open_existing(files, folders.anel.get(), folder_name, O_RDONLY | O_DIRECTORY);
}

Result<Adoption> read_one(FileSystem& files, int folder, LedgerId ledger, std::uint64_t number) {
    const std::string what = fmt::format(".anel/adopted/{}", number);
    auto fd = open_existing(files, folder, std::to_string(number), O_RDONLY);
    if (!fd) {
        return forward_error(fd);
    }
    const auto damaged = failure(ErrorCode::ledger_damaged,
                                 fmt::format("{} is damaged or of another ledger: {}", what, way_out::good_copy));
    if (!fd->valid()) {
        return damaged;
    }
    auto found = read_header<Header>(fd->get(), 0, what);
    if (!found) {
        return forward_error(found);
    }
    const Header& header = *found;
    if (header.magic == adoption_magic && header.version > adoption_version) {
        return failure(ErrorCode::unsupported, fmt::format("{} was written by a newer program: use that one", what));
    }
    auto status = status_of(fd->get(), what);
    if (header.magic != adoption_magic || header.crc != crc_of_header(header) || header.number != number ||
        header.ledger != ledger.value || !status ||
        static_cast<std::uint64_t>(status->st_size) != sizeof(Header) + header.pieces * sizeof(Piece)) {
        return damaged;
    }
    std::vector<Piece> pieces(header.pieces);
    const auto body = std::as_writable_bytes(std::span{pieces});
    auto got = read_at(fd->get(), body, sizeof(Header), what);
    if (!got) {
        return forward_error(got);
    }
    if (*got < body.size() || crc32c(body) != header.body_crc) {
        return damaged;
    }
    return decode(header, pieces);
}

}  // namespace

Result<std::vector<Adoption>> read_adoptions(FileSystem& files, const Folders& folders, LedgerId ledger) {
    std::vector<Adoption> found;
    auto folder = open_adopted(files, folders);
    if (!folder) {
        return forward_error(folder);
    }
    if (!folder->valid()) {
        return found;
    }
    auto numbers = list_numbers(folder->get(), ".anel/adopted");
    if (!numbers) {
        return forward_error(numbers);
    }
    for (const auto number : *numbers) {
        auto one = read_one(files, folder->get(), ledger, number);
        if (!one) {
            return forward_error(one);
        }
        found.push_back(std::move(*one));
    }
    return found;
}

Result<std::optional<Adoption>> newest_adoption(FileSystem& files, const Folders& folders, LedgerId ledger) {
    auto all = read_adoptions(files, folders, ledger);
    if (!all) {
        return forward_error(all);
    }
    return all->empty() ? std::optional<Adoption>{} : std::optional{std::move(all->back())};
}

Result<bool> write_adoption(FileSystem& files, const Folders& folders, LedgerId ledger, const Adoption& adoption) {
    auto folder = make_folder(files, folders, folders.anel.get(), folder_name);
    if (!folder) {
        return forward_error(folder);
    }
    std::vector<Piece> pieces;
    for (const auto& piece : adoption.pieces) {
        pieces.push_back({piece.range.begin, piece.range.end, piece.crc, piece.blank ? 1U : 0U});
    }
    const auto body = std::as_bytes(std::span{pieces});
    Header header;
    header.ledger = ledger.value;
    header.number = adoption.number;
    header.ledger_file = adoption.ledger_file;
    header.output = adoption.output;
    header.round = adoption.round.value;
    header.segment = adoption.segment.value;
    header.output_end = adoption.output_end;
    header.tail_hash = adoption.tail_hash;
    header.tail_end = adoption.tail_end;
    header.tail_crc = adoption.tail_crc.value_or(0);
    header.base_offset = adoption.base_offset;
    header.pieces = pieces.size();
    header.body_crc = crc32c(body);
    header.crc = crc_of_header(header);
    auto fd = open_unnamed(files, folder->get(), "an adoption");
    if (!fd) {
        return forward_error(fd);
    }
    if (auto written = write_all(files, fd->get(), {bytes_of(header), body}, 0, "adoption.write", "an adoption");
        !written) {
        return forward_error(written);
    }
    if (files.fsync(fd->get()) != 0) {
        return sync_failure("an adoption", errno);
    }
    auto linked = link_file(files, fd->get(), folder->get(), std::to_string(adoption.number));
    if (!linked) {
        return linked;
    }
    if (auto synced = fsync_folder(files, folder->get(), ".anel/adopted"); !synced) {
        return forward_error(synced);
    }
    return linked;
}

const FileIdentity& ledger_file_of(const LedgerIdentity& identity, const std::optional<Adoption>& adoption) {
    return adoption ? adoption->ledger_file : identity.file;
}
const FileIdentity& output_of(const LedgerIdentity& identity, const std::optional<Adoption>& adoption,
                              const OutputPlace& place) {
    if (adoption && adoption->segment.value >= place.segment) {
        return adoption->output;
    }
    return place.file == 1 ? identity.output : place.identity;
}

}  // namespace anel

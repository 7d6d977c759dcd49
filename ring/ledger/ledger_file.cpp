#include "ring/ledger/ledger_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "common/assert.hpp"
#include "ring/ledger/file_header.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {
namespace {

constexpr std::array<char, 8> ledger_magic{'A', 'N', 'E', 'L', 'L', 'E', 'D', '\n'};
constexpr std::uint32_t ledger_version = 2;  // 1 knew files by their inode alone

struct Header {
    std::array<char, 8> magic = ledger_magic;
    std::uint32_t version = ledger_version;
    std::uint32_t crc = 0;  ///< CRC32C of the header behind this field
    std::uint64_t id = 0;
    std::uint64_t format = 0;
    FileIdentity output;
    FileIdentity file;
    std::uint64_t nodes = 0;  ///< bit k: node k
    std::uint64_t adopted_bytes = 0;
    std::uint64_t base_offset = 0;
};

}  // namespace

Result<std::optional<LedgerFile>> LedgerFile::open(FileSystem& files, const Folders& folders, bool writable) {
    auto fd = open_existing(files, folders.anel.get(), "ledger", writable ? O_RDWR : O_RDONLY);
    if (!fd) {
        return forward_error(fd);
    }
    if (!fd->valid()) {
        return std::optional<LedgerFile>{};
    }
    const std::string what = (folders.path / ".anel/ledger").string();
    auto found = read_header<Header>(fd->get(), MappedPage::bytes, what);
    if (!found) {
        return forward_error(found);
    }
    const Header& header = *found;
    if (header.magic != ledger_magic) {
        return failure(ErrorCode::ledger_damaged,
                       fmt::format("{} is not the file of a ledger: {}", what, way_out::good_copy));
    }
    if (header.version != ledger_version) {
        return failure(
            ErrorCode::folder_unusable,
            fmt::format("{} was written by {} program (format version {}, this one knows {}): use that one", what,
                        header.version > ledger_version ? "a newer" : "an older", header.version, ledger_version));
    }
    if (header.crc != crc_of_header(header) || header.format > 1) {
        return failure(ErrorCode::ledger_damaged,
                       fmt::format("{} is damaged (its checksum is wrong): {}", what, way_out::good_copy));
    }
    LedgerFile file;
    file.identity_.id = {header.id};
    file.identity_.format = header.format == 0 ? OutputFormat::classic : OutputFormat::jsonl;
    file.identity_.output = header.output;
    file.identity_.file = header.file;
    file.identity_.adopted_bytes = header.adopted_bytes;
    file.identity_.base_offset = header.base_offset;
    for (std::uint64_t node = 0; node < limits::nodes_max; ++node) {
        if (((header.nodes >> node) & 1U) != 0) {
            file.identity_.nodes.insert({node});
        }
    }
    auto words = MappedPage::map(fd->get(), writable, what);
    auto present = identity_of(fd->get(), what);
    if (!words || !present) {
        return words ? forward_error(present) : forward_error(words);
    }
    file.present_ = *present;
    file.fd_ = std::move(*fd);
    file.words_ = std::move(*words);
    return std::optional{std::move(file)};
}

Result<bool> LedgerFile::create(FileSystem& files, const Folders& folders, const LedgerIdentity& identity) {
    Header header;
    header.id = identity.id.value;
    header.format = identity.format == OutputFormat::classic ? 0 : 1;
    header.output = identity.output;
    for (const auto node : identity.nodes) {
        ANEL_ASSERT(node.value < limits::nodes_max);
        header.nodes |= std::uint64_t{1} << node.value;
    }
    header.adopted_bytes = identity.adopted_bytes;
    header.base_offset = identity.base_offset;
    auto fd = open_unnamed(files, folders.anel.get(), ".anel/ledger");
    if (!fd) {
        return forward_error(fd);
    }
    auto present = identity_of(fd->get(), ".anel/ledger");
    if (!present) {
        return forward_error(present);
    }
    header.file = *present;
    header.crc = crc_of_header(header);
    Bytes pages(2 * MappedPage::bytes);
    std::memcpy(pages.data() + MappedPage::bytes, &header, sizeof header);
    if (auto written = write_all(files, fd->get(), {pages}, 0, "ledger.write", ".anel/ledger"); !written) {
        return forward_error(written);
    }
    if (files.fsync(fd->get()) != 0) {
        return sync_failure(".anel/ledger", errno);
    }
    auto linked = link_file(files, fd->get(), folders.anel.get(), "ledger");
    if (!linked) {
        return linked;
    }
    if (auto synced = fsync_folder(files, folders.anel.get(), ".anel"); !synced) {
        return forward_error(synced);
    }
    return linked;
}

Result<void> LedgerFile::check_name(const Folders& folders) const {
    if (!status_if_same(folders.data.get(), ".anel/ledger", present_.inode)) {
        return failure(ErrorCode::outside_hands,
                       fmt::format(".anel/ledger was removed or replaced while the ring ran: {}",
                                   way_out::put_back(folders.path)));
    }
    return {};
}

SegmentNumber LedgerFile::named_segment() const { return {words_.load(named_segment_word)}; }
void LedgerFile::raise_named_segment(SegmentNumber number) { words_.raise(named_segment_word, number.value); }

void LedgerFile::set_call_word(NodeId node, CallId call) {
    ANEL_ASSERT(node.value < limits::nodes_max);
    words_.store(node.value, call.value);
}
CallId LedgerFile::call_word(NodeId node) const {
    ANEL_ASSERT(node.value < limits::nodes_max);
    return {words_.load(node.value)};
}

}  // namespace anel

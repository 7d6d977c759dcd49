#include "client/command/export/pieces.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "ring/ledger/durable_end.hpp"

namespace anel::command {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;

tl::unexpected<Error> no(const std::filesystem::path& path, const char* what) {
    return failure(ErrorCode::io_failed, fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)));
}

std::optional<std::uint64_t> number_in(std::string_view name) {
    constexpr std::string_view before = "output.";
    constexpr std::string_view behind = ".txt";
    if (!name.starts_with(before) || !name.ends_with(behind) || name.size() <= before.size() + behind.size()) {
        return std::nullopt;
    }
    const auto digits = name.substr(before.size(), name.size() - before.size() - behind.size());
    std::uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
    return number;
}

Descriptor open_file(const std::filesystem::path& path, int flags) {
    return Descriptor{::open(path.c_str(), flags | O_CLOEXEC, 0666)};
}

ssize_t read_chunk(const Descriptor& file, std::string& bytes) {
    bytes.resize(chunk_bytes);
    const auto got = ::read(file.get(), bytes.data(), bytes.size());
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return got;
}

[[nodiscard]] bool write_whole(const Descriptor& file, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto done = ::write(file.get(), bytes.data(), bytes.size());
        if (done < 0 && errno != EINTR) return false;
        if (done > 0) bytes.remove_prefix(static_cast<std::size_t>(done));
    }
    return true;
}

/// The rows of the piece in `part`, durable. @return how many.
Result<std::uint64_t> write_rows(const Piece& piece, const std::filesystem::path& part, RowFormat format) {
    const auto from = open_file(piece.path, O_RDONLY);
    if (!from.valid()) return no(piece.path, "cannot be read");
    const auto to = open_file(part, O_WRONLY | O_CREAT | O_TRUNC);
    if (!to.valid()) return no(part, "cannot be made");
    std::string rows;
    RowWriter writer{piece.number, format, [&](std::string_view text) { rows += text; }};
    std::string bytes;
    for (;;) {
        const auto got = read_chunk(from, bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return no(piece.path, "cannot be read");
        if (got == 0) break;
        writer.feed(bytes);
        if (!write_whole(to, rows)) return no(part, "cannot be written");
        rows.clear();
    }
    if (!writer.whole()) {
        return failure(ErrorCode::malformed, fmt::format("{}: ends in the middle of a line or a message: it is not a "
                                                         "finished piece of an output",
                                                         piece.path.string()));
    }
    if (::fsync(to.get()) != 0) return no(part, "cannot be made durable");
    return writer.rows();
}

/// Leaves those that are certain.
Result<Pieces> certain_of(const std::filesystem::path& folder, std::vector<Piece> pieces) {
    FileSystem files;
    auto opened = open_to_look(files, folder);
    if (!opened) {
        if (opened.error().code == ErrorCode::folder_unusable) return Pieces{std::move(pieces), std::nullopt};
        return tl::unexpected{opened.error()};
    }
    DurableEnd look{files, *opened};
    const auto end = look.look();
    if (!end) return tl::unexpected{end.error()};
    const auto& output = opened->output;
    Pieces found;
    for (auto& piece : pieces) {
        if (piece.number >= output.place().file) break;  // it is output.txt too, for a moment
        if (output.end_of(piece.number) > end->offset) {
            found.uncertain = std::move(piece);
            break;
        }
        found.finished.push_back(std::move(piece));
    }
    return found;
}

}  // namespace

Result<Pieces> finished_pieces(const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<Piece> pieces;
    for (std::filesystem::directory_iterator entry{folder, error}, end; !error && entry != end;
         entry.increment(error)) {
        if (const auto number = number_in(entry->path().filename().string()))
            pieces.push_back({*number, entry->path()});
    }
    if (error) {
        return failure(ErrorCode::bad_configuration, fmt::format("{}: {}", folder.string(), error.message()));
    }
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.number < b.number; });
    return pieces.empty() ? Pieces{} : certain_of(folder, std::move(pieces));
}

Result<ExportFolder> ExportFolder::open(const std::filesystem::path& path, RowFormat format) {
    std::error_code ignored;
    std::filesystem::create_directory(path, ignored);
    auto descriptor = open_file(path, O_RDONLY | O_DIRECTORY);
    const auto refuse = [&](const char* why) {
        return failure(ErrorCode::bad_configuration, fmt::format("{}: {}", path.string(), why));
    };
    if (!descriptor.valid()) return refuse(std::strerror(errno));
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
        return refuse("another anel export is at work in this folder");
    }
    return ExportFolder{path, std::move(descriptor), format};
}

std::string ExportFolder::name_of(const Piece& piece) const {
    return piece.path.stem().string() + (format_ == RowFormat::csv ? ".csv" : ".jsonl");
}

bool ExportFolder::has(const Piece& piece) const {
    std::error_code ignored;
    return std::filesystem::exists(path_ / name_of(piece), ignored);
}

Result<std::uint64_t> ExportFolder::add(const Piece& piece) const {
    const auto name = path_ / name_of(piece);
    const auto part = name.string() + ".part";
    auto rows = write_rows(piece, part, format_);
    if (!rows) {
        ::unlink(part.c_str());
        return rows;
    }
    if (::rename(part.c_str(), name.c_str()) != 0) return no(name, "cannot be given its name");
    if (::fsync(descriptor_.get()) != 0) return no(path_, "cannot be made durable");
    return rows;
}

}  // namespace anel::command

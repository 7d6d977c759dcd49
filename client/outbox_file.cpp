#include "client/outbox_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "client/outbox_records.hpp"

namespace anel::client {
namespace {

std::string identity_of(Instance instance, const std::string& client_id) {
    return text_of_number(instance.value) + client_id;
}

Descriptor open_file(const std::string& path, int flags) {
    return Descriptor{::open(path.c_str(), flags | O_CLOEXEC, 0644)};
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

bool has_name(int file, const std::string& path) {
    struct stat own {};
    struct stat named {};
    return ::fstat(file, &own) == 0 && ::stat(path.c_str(), &named) == 0 && own.st_ino == named.st_ino &&
           own.st_dev == named.st_dev;
}

}  // namespace

tl::unexpected<Error> OutboxFile::failed(const char* what) const {
    return failure(ErrorCode::io_failed,
                   fmt::format("outbox file {}: {}: {}", path_.string(), what, std::strerror(errno)));
}

tl::unexpected<Error> OutboxFile::sync_failed(const char* what) const {
    auto error = failed(what).value();
    error.code = ErrorCode::sync_failed;
    return tl::unexpected{std::move(error)};
}

Result<OutboxFile> OutboxFile::open(const std::filesystem::path& path, const Wanted& wanted) {
    OutboxFile outbox;
    outbox.path_ = path;
    outbox.sync_ = wanted.sync;
    if (const auto alone = outbox.be_alone(); !alone) return tl::unexpected{alone.error()};
    outbox.file_ = open_file(path.string(), O_RDWR | O_CREAT);
    if (!outbox.file_.valid()) return outbox.failed("cannot be opened");
    if (const auto read = outbox.read_all(); !read) return tl::unexpected{read.error()};
    if (outbox.instance_.value == 0) {
        outbox.client_id_ = wanted.client_id.empty() ? wanted.fresh_client_id : wanted.client_id;
        outbox.instance_ = Instance{wanted.instance == 0 ? wanted.fresh_instance : wanted.instance};
        std::string records;
        put_record(records, kind_identity, identity_of(outbox.instance_, outbox.client_id_));
        if (const auto written = outbox.append(records); !written) return tl::unexpected{written.error()};
    }
    // Not only of a new file: whoever made it may have died before its own sync of the folder.
    if (const auto synced = outbox.sync_name(); !synced) return tl::unexpected{synced.error()};
    if (!wanted.client_id.empty() && wanted.client_id != outbox.client_id_) {
        return failure(ErrorCode::bad_configuration, fmt::format("outbox file {} belongs to client id '{}', not '{}'",
                                                                 path.string(), outbox.client_id_, wanted.client_id));
    }
    if (wanted.instance != 0 && wanted.instance != outbox.instance_.value) {
        return failure(ErrorCode::bad_configuration,
                       fmt::format("outbox file {} belongs to instance {}, not {}", path.string(),
                                   outbox.instance_.value, wanted.instance));
    }
    return outbox;
}

Result<void> OutboxFile::be_alone() {
    const auto lock_path = path_.string() + ".lock";
    while (true) {
        lock_ = open_file(lock_path, O_RDWR | O_CREAT);
        if (!lock_.valid()) return failed("cannot be locked");
        if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) return failed("another process uses it");
        // Its owner may have removed it since it was opened: a lock without its name keeps nobody out.
        if (has_name(lock_.get(), lock_path)) return {};
    }
}

Result<void> OutboxFile::sync_name() const {
    if (!sync_) return {};
    const auto parent = path_.parent_path();
    const auto folder = open_file(parent.empty() ? "." : parent.string(), O_RDONLY | O_DIRECTORY);
    if (!folder.valid() || ::fsync(folder.get()) != 0) return sync_failed("its folder cannot be synced");
    return {};
}

Result<void> OutboxFile::read_all() {
    std::string bytes;
    std::array<char, 65536> chunk{};
    while (true) {
        const auto got = ::read(file_.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("cannot be read");
        if (got == 0) break;
        bytes.append(chunk.data(), static_cast<std::size_t>(got));
    }
    std::string_view rest{bytes};
    while (const auto record = first_record(rest)) {
        if (!read_record(*record)) break;
        rest.remove_prefix(record->bytes);
    }
    file_bytes_ = bytes.size() - rest.size();
    if (!bytes.empty() && instance_.value == 0) {
        return failure(ErrorCode::bad_configuration, fmt::format("{} is not an outbox file of anel", path_.string()));
    }
    if (first_record(rest) || find_later_record(rest)) return damaged();
    if (::ftruncate(file_.get(), static_cast<off_t>(file_bytes_)) != 0) return failed("cannot be written");
    if (::lseek(file_.get(), 0, SEEK_END) < 0) return failed("cannot be written");
    return {};
}

tl::unexpected<Error> OutboxFile::damaged() const {
    return failure(ErrorCode::bad_configuration,
                   fmt::format("outbox file {}: the record at byte {} is damaged, and whole ones stand behind it: move "
                               "the file away to begin a new outbox; the outcome of what it had under way is unknown",
                               path_.string(), file_bytes_));
}

/// @return false where the record makes no sense here.
bool OutboxFile::read_record(const OutboxRecord& record) {
    const auto [kind, payload, bytes] = record;
    if (kind == kind_batch) {
        const limits::ClientLimits any{UINT32_MAX, UINT32_MAX, UINT32_MAX};
        const auto request = decode_request(as_bytes(payload), any);
        if (!request || !std::holds_alternative<PushRequest>(*request)) return false;
        const auto& push = std::get<PushRequest>(*request);
        const auto end = kept_.batches.empty()
                             ? kept_.acked.value
                             : kept_.batches.back().first.value + kept_.batches.back().messages.size() - 1;
        // A step that rewrites the file and keeps a batch keeps it twice: the rewrite has it already.
        if (push.last().value <= end) return true;
        if (!kept_.batches.empty() && push.first.value != end + 1) return false;
        KeptBatch batch{push.first, {}};
        for (MessageReader messages{push}; messages.more();) {
            const auto message = messages.next();
            batch.messages.emplace_back(message.timestamp, std::string{message.payload});
        }
        // A taken-over session begins behind what another instance wrote: the first batch says where.
        if (kept_.batches.empty()) kept_.acked = ClientSequence{push.first.value - 1};
        kept_.sent = std::max(kept_.sent, push.last());
        kept_.batches.push_back(std::move(batch));
        return true;
    }
    if (payload.size() < sizeof(std::uint64_t)) return false;
    const auto value = number_of(payload);
    if (kind == kind_identity) {
        instance_ = Instance{value};
        client_id_ = std::string{payload.substr(sizeof value)};
    } else if (kind == kind_sent) {
        kept_.sent = std::max(kept_.sent, ClientSequence{value});
    } else if (kind == kind_birth) {
        kept_.birth = Round{value};
    } else if (kind == kind_acked) {
        kept_.acked = std::max(kept_.acked, ClientSequence{value});
        auto& batches = kept_.batches;
        while (!batches.empty() && batches.front().first <= kept_.acked) {
            auto& front = batches.front();
            const auto drop = std::min<std::uint64_t>(kept_.acked.value - front.first.value + 1, front.messages.size());
            front.messages.erase(front.messages.begin(), front.messages.begin() + static_cast<std::ptrdiff_t>(drop));
            front.first.value += drop;
            if (!front.messages.empty()) break;
            batches.erase(batches.begin());
        }
    } else {
        return false;
    }
    return true;
}

Result<void> OutboxFile::append(const std::string& records) {
    if (!write_all(file_.get(), records)) return failed("cannot be written");
    if (sync_ && ::fdatasync(file_.get()) != 0) return sync_failed("cannot be synced");
    file_bytes_ += records.size();
    return {};
}

Result<void> OutboxFile::keep(const Blob& frame) {
    std::string records;
    records.reserve(frame.size() + 16);
    put_record(records, kind_batch, frame.text());
    return append(records);
}

Result<void> OutboxFile::forget(ClientSequence acked) {
    std::string records;
    put_record(records, kind_acked, acked.value);
    return append(records);
}

Result<void> OutboxFile::keep_birth(Round birth) {
    std::string records;
    put_record(records, kind_birth, birth.value);
    return append(records);
}

Result<void> OutboxFile::replace(const KeptOutbox& outbox) {
    std::string records;
    put_record(records, kind_identity, identity_of(instance_, client_id_));
    put_record(records, kind_sent, outbox.sent.value);
    put_record(records, kind_acked, outbox.acked.value);
    if (outbox.birth.value != 0) put_record(records, kind_birth, outbox.birth.value);
    for (const auto& batch : outbox.batches) {
        std::vector<Message> messages;
        for (const auto& [timestamp, payload] : batch.messages) messages.push_back({timestamp, payload});
        const auto frame = encode_push(client_id_, instance_, batch.first, messages);
        put_record(records, kind_batch, as_text(frame));
    }
    const auto fresh_path = path_.string() + ".new";
    auto fresh = open_file(fresh_path, O_RDWR | O_CREAT | O_TRUNC);
    if (!fresh.valid()) return failed("cannot be rewritten");
    const bool written = write_all(fresh.get(), records) && ::fdatasync(fresh.get()) == 0;
    if (!written || ::rename(fresh_path.c_str(), path_.c_str()) != 0) return failed("cannot be rewritten");
    file_ = std::move(fresh);
    file_bytes_ = records.size();
    return sync_name();
}

Result<void> OutboxFile::renew(Instance instance) {
    instance_ = instance;
    return replace({});
}

/// The lock goes last: until then nobody else makes or opens the file.
void OutboxFile::remove() {
    ::unlink(path_.c_str());
    ::unlink((path_.string() + ".lock").c_str());
}

}  // namespace anel::client

#include "client/outbox_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace anel::client {
namespace {

// A record: length (4 bytes), checksum (8), then a kind and its data. All numbers little endian.
constexpr std::size_t record_head_bytes = 12;
constexpr char kind_identity = 'I';
constexpr char kind_batch = 'B';
constexpr char kind_acked = 'A';
constexpr char kind_sent = 'S';

/// FNV-1a, 64 bits: finds torn and rotten records; nobody forges one's own outbox.
std::uint64_t checksum_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
    return hash;
}

template <class Integer>
void put(std::string& into, Integer value) {
    std::array<char, sizeof value> raw{};
    std::memcpy(raw.data(), &value, sizeof value);
    into.append(raw.data(), raw.size());
}

template <class Integer>
Integer get(std::string_view from) {
    Integer value{};
    std::memcpy(&value, from.data(), sizeof value);
    return value;
}

void put_record(std::string& into, char kind, std::string_view data) {
    std::string payload{kind};
    payload += data;
    put(into, static_cast<std::uint32_t>(payload.size()));
    put(into, checksum_of(payload));
    into += payload;
}

std::string number(std::uint64_t value) {
    std::string text;
    put(text, value);
    return text;
}

std::string identity_of(Instance instance, const std::string& client_id) { return number(instance.value) + client_id; }

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

OutboxFile::OutboxFile(OutboxFile&& other) noexcept
    : path_{std::move(other.path_)},
      client_id_{std::move(other.client_id_)},
      instance_{other.instance_},
      kept_{std::move(other.kept_)},
      sync_{other.sync_},
      file_{std::exchange(other.file_, -1)},
      lock_{std::exchange(other.lock_, -1)},
      file_bytes_{other.file_bytes_} {}

OutboxFile::~OutboxFile() {
    if (file_ >= 0) ::close(file_);
    if (lock_ >= 0) ::close(lock_);
}

tl::unexpected<Error> OutboxFile::failed(const char* what) const {
    return failure(ErrorCode::io_failed,
                   fmt::format("outbox file {}: {}: {}", path_.string(), what, std::strerror(errno)));
}

Result<OutboxFile> OutboxFile::open(const std::filesystem::path& path, const Wanted& wanted) {
    OutboxFile outbox;
    outbox.path_ = path;
    outbox.sync_ = wanted.sync;
    const auto lock_path = path.string() + ".lock";
    outbox.lock_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (outbox.lock_ < 0) return outbox.failed("cannot be locked");
    if (::flock(outbox.lock_, LOCK_EX | LOCK_NB) != 0) return outbox.failed("another process uses it");
    outbox.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (outbox.file_ < 0) return outbox.failed("cannot be opened");
    if (const auto read = outbox.read_all(); !read) return tl::unexpected{read.error()};
    if (outbox.instance_.value == 0) {
        outbox.client_id_ = wanted.client_id.empty() ? wanted.fresh_client_id : wanted.client_id;
        outbox.instance_ = Instance{wanted.instance == 0 ? wanted.fresh_instance : wanted.instance};
        std::string records;
        put_record(records, kind_identity, identity_of(outbox.instance_, outbox.client_id_));
        if (const auto written = outbox.append(records); !written) return tl::unexpected{written.error()};
    }
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

Result<void> OutboxFile::read_all() {
    std::string bytes;
    std::array<char, 65536> chunk{};
    while (true) {
        const auto got = ::read(file_, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("cannot be read");
        if (got == 0) break;
        bytes.append(chunk.data(), static_cast<std::size_t>(got));
    }
    std::string_view rest{bytes};
    while (rest.size() >= record_head_bytes) {
        const auto length = get<std::uint32_t>(rest);
        if (length == 0 || length > rest.size() - record_head_bytes) break;
        const auto payload = rest.substr(record_head_bytes, length);
        if (get<std::uint64_t>(rest.substr(4)) != checksum_of(payload) || !read_record(payload)) break;
        rest.remove_prefix(record_head_bytes + length);
    }
    file_bytes_ = bytes.size() - rest.size();
    if (!bytes.empty() && instance_.value == 0) {
        return failure(ErrorCode::bad_configuration, fmt::format("{} is not an outbox file of anel", path_.string()));
    }
    if (::ftruncate(file_, static_cast<off_t>(file_bytes_)) != 0) return failed("cannot be written");
    if (::lseek(file_, 0, SEEK_END) < 0) return failed("cannot be written");
    return {};
}

/// @return false where the record makes no sense here: reading ends before it.
bool OutboxFile::read_record(std::string_view payload) {
    const char kind = payload.front();
    payload.remove_prefix(1);
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
    const auto value = get<std::uint64_t>(payload);
    if (kind == kind_identity) {
        instance_ = Instance{value};
        client_id_ = std::string{payload.substr(sizeof value)};
    } else if (kind == kind_sent) {
        kept_.sent = std::max(kept_.sent, ClientSequence{value});
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
    if (!write_all(file_, records)) return failed("cannot be written");
    if (sync_ && ::fdatasync(file_) != 0) return failed("cannot be synced");
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
    put_record(records, kind_acked, number(acked.value));
    return append(records);
}

Result<void> OutboxFile::replace(const KeptOutbox& outbox) {
    std::string records;
    put_record(records, kind_identity, identity_of(instance_, client_id_));
    put_record(records, kind_sent, number(outbox.sent.value));
    put_record(records, kind_acked, number(outbox.acked.value));
    for (const auto& batch : outbox.batches) {
        std::vector<Message> messages;
        for (const auto& [timestamp, payload] : batch.messages) messages.push_back({timestamp, payload});
        const auto frame = encode_push(client_id_, instance_, batch.first, messages);
        put_record(records, kind_batch, as_text(frame));
    }
    const auto fresh_path = path_.string() + ".new";
    const int fresh = ::open(fresh_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fresh < 0) return failed("cannot be rewritten");
    const bool written = write_all(fresh, records) && ::fdatasync(fresh) == 0;
    if (!written || ::rename(fresh_path.c_str(), path_.c_str()) != 0) {
        ::close(fresh);
        return failed("cannot be rewritten");
    }
    ::close(std::exchange(file_, fresh));
    file_bytes_ = records.size();
    return {};
}

void OutboxFile::remove() {
    ::unlink(path_.c_str());
    ::unlink((path_.string() + ".lock").c_str());
}

}  // namespace anel::client

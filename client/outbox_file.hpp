// The outbox of a client on disk: what a restart needs to go on without a message lost or doubled.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "client/session.hpp"

namespace anel::client {

/// A file of records, each with its length and a checksum, appended to and now and then rewritten under
/// another name and renamed. A torn last record is dropped: it was never sent, since keeping comes before sending.
class OutboxFile {
public:
    /// Opens or creates it. One process may have it open at a time.
    /// @param client_id  empty: the one of the file, or `fresh_client_id` in a new file. Another than the file's: refused.
    /// @param instance   0: the one of the file, or `fresh_instance` in a new file.
    struct Wanted {
        std::string client_id;
        std::string fresh_client_id;
        std::uint64_t instance = 0;
        std::uint64_t fresh_instance = 0;
        bool sync = false;
    };
    [[nodiscard]] static Result<OutboxFile> open(const std::filesystem::path& path, const Wanted& wanted);

    OutboxFile(OutboxFile&& other) noexcept;
    OutboxFile& operator=(OutboxFile&&) = delete;
    ~OutboxFile();

    [[nodiscard]] const std::string& client_id() const { return client_id_; }
    [[nodiscard]] Instance instance() const { return instance_; }
    /// What was kept by the process before; valid until moved out.
    [[nodiscard]] KeptOutbox& kept() { return kept_; }

    [[nodiscard]] Result<void> keep(const Blob& frame);
    [[nodiscard]] Result<void> forget(ClientSequence acked);
    [[nodiscard]] Result<void> replace(const KeptOutbox& outbox);
    /// Mostly acked by now: worth a replace().
    [[nodiscard]] bool is_bloated() const { return file_bytes_ > bloated_bytes; }
    /// The session is gone: nothing is left to resume.
    void remove();

private:
    static constexpr std::size_t bloated_bytes = 32 * 1024 * 1024;
    OutboxFile() = default;
    [[nodiscard]] Result<void> read_all();
    [[nodiscard]] bool read_record(std::string_view payload);
    [[nodiscard]] Result<void> append(const std::string& records);
    [[nodiscard]] tl::unexpected<Error> failed(const char* what) const;

    std::filesystem::path path_;
    std::string client_id_;
    Instance instance_;
    KeptOutbox kept_;
    bool sync_ = false;
    int file_ = -1;
    int lock_ = -1;
    std::size_t file_bytes_ = 0;
};

}  // namespace anel::client

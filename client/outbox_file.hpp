// The outbox of a client on disk: what a restart needs to go on without a message lost or doubled.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "client/outbox_records.hpp"
#include "client/session.hpp"
#include "common/descriptor.hpp"

namespace anel::client {

/// A file of records, each with its length and a checksum, appended to and now and then rewritten under
/// another name and renamed. A torn last record is dropped: it was never sent, since keeping comes before sending.
/// A damaged one with good ones behind it is refused: without it numbers would go to other messages.
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

    [[nodiscard]] const std::string& client_id() const { return client_id_; }
    [[nodiscard]] Instance instance() const { return instance_; }
    /// What was kept by the process before; valid until moved out.
    [[nodiscard]] KeptOutbox& kept() { return kept_; }

    [[nodiscard]] Result<void> keep(const Blob& frame);
    [[nodiscard]] Result<void> forget(ClientSequence acked);
    /// What is kept from now on was pushed under this session.
    [[nodiscard]] Result<void> keep_birth(Round birth);
    /// `sync_failed`: it is rewritten, but a power cut may bring the old one back. Else the old one is in use.
    [[nodiscard]] Result<void> replace(const KeptOutbox& outbox);
    /// Goes on empty, under another instance.
    [[nodiscard]] Result<void> renew(Instance instance);
    /// Mostly acked by now: worth a replace().
    [[nodiscard]] bool is_bloated() const { return file_bytes_ > bloated_bytes; }
    /// The session is gone: nothing is left to resume.
    void remove();

private:
    static constexpr std::size_t bloated_bytes = 32 * 1024 * 1024;
    OutboxFile() = default;
    /// Owns the lock file beside it, as long as this object lives.
    [[nodiscard]] Result<void> be_alone();
    [[nodiscard]] Result<void> read_all();
    [[nodiscard]] bool read_record(const OutboxRecord& record);
    [[nodiscard]] Result<void> append(const std::string& records);
    /// With `sync`: a power cut does not take the file's name (or give it back to the one before a rewrite).
    [[nodiscard]] Result<void> sync_name() const;
    [[nodiscard]] tl::unexpected<Error> failed(const char* what) const;
    [[nodiscard]] tl::unexpected<Error> sync_failed(const char* what) const;
    [[nodiscard]] tl::unexpected<Error> damaged() const;

    std::filesystem::path path_;
    std::string client_id_;
    Instance instance_;
    KeptOutbox kept_;
    bool sync_ = false;
    Descriptor lock_;  ///< before the file: it goes last
    Descriptor file_;
    std::size_t file_bytes_ = 0;
};

}  // namespace anel::client

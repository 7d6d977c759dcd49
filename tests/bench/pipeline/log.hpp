// What the plain pipeline keeps on disk: the journal and the output of a ring of one, in one append each.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "ring/ledger/record.hpp"

namespace anel::bench {

/// A file that is appended to. @throws std::system_error
class Appended {
public:
    explicit Appended(const std::string& path);
    Appended(const Appended&) = delete;
    Appended& operator=(const Appended&) = delete;
    ~Appended();
    void append(BytesView bytes);
    void sync();

private:
    int descriptor_;
    std::uint64_t end_ = 0;
};

/// Calls fdatasync on a thread of its own, as a node does: one covers all that was appended before it began.
class Syncer {
public:
    explicit Syncer(Appended& file);
    ~Syncer();
    Syncer(const Syncer&) = delete;
    Syncer& operator=(const Syncer&) = delete;
    /// Readable when durable() may have grown.
    [[nodiscard]] int descriptor() const { return event_; }
    void request(Round round);
    [[nodiscard]] Round durable();

private:
    void run();

    Appended& file_;
    int event_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    Round wanted_;
    Round durable_;
    std::thread thread_;  ///< last: starts when all else stands
};

/// Appends rounds, byte for byte as a node's ledger would hold them.
class PlainLog {
public:
    explicit PlainLog(const std::string& folder);
    void append(const RoundRecord& record);
    [[nodiscard]] Syncer& syncer() { return syncer_; }

private:
    Appended journal_;
    Appended output_;
    Position position_;
    Bytes buffer_;
    Syncer syncer_;
};

}  // namespace anel::bench

// `.anel/ledger`: what is settled once for a ledger's whole life, and the words by which nodes prove that they
// share one volume.
#pragma once

#include <set>

#include "common/limits.hpp"
#include "ring/core/config.hpp"
#include "ring/ledger/file_identity.hpp"
#include "ring/ledger/folder.hpp"

namespace anel {

struct LedgerIdentity {
    LedgerId id;
    OutputFormat format = OutputFormat::classic;
    FileIdentity output;              ///< output.txt, as the ledger was made
    FileIdentity file;                ///< `.anel/ledger` itself: a copy is another file
    std::set<NodeId> nodes;           ///< every configured node
    std::uint64_t adopted_bytes = 0;  ///< what stood in output.txt before the ledger was made
    std::uint64_t base_offset = 0;    ///< where the first round begins: behind it, after a line feed
};

/// The file, open and mapped. Word k of its first page belongs to node k, the one behind those of all nodes says which
/// segment was named last.
class LedgerFile {
public:
    static constexpr std::size_t named_segment_word = limits::nodes_max;

    /// None where there is no such file. `unsupported`: made by a newer program; `ledger_damaged`.
    [[nodiscard]] static Result<std::optional<LedgerFile>> open(FileSystem& files, const Folders& folders,
                                                                bool writable);

    /// Makes the file, durable before and after it gets its name. False: another node was first, which is as good.
    [[nodiscard]] static Result<bool> create(FileSystem& files, const Folders& folders, const LedgerIdentity& identity);

    [[nodiscard]] const LedgerIdentity& identity() const { return identity_; }
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Which file this one is, whatever it says of itself.
    [[nodiscard]] const FileIdentity& present() const { return present_; }
    /// `outside_hands` when another file, or none, has its name now.
    [[nodiscard]] Result<void> check_name(const Folders& folders) const;

    /// A segment up to this number has had a durable name: without one the journal was cut by outside hands. After a
    /// power cut it may say less, never more.
    [[nodiscard]] SegmentNumber named_segment() const;
    void raise_named_segment(SegmentNumber number);

    void set_call_word(NodeId node, CallId call);
    [[nodiscard]] CallId call_word(NodeId node) const;

private:
    Descriptor fd_;
    MappedPage words_;
    LedgerIdentity identity_;
    FileIdentity present_;
};

}  // namespace anel

// `.anel/ledger`: what is settled once for a ledger's whole life, and the words by which nodes prove that they
// share one volume.
#pragma once

#include <set>

#include "ring/core/config.hpp"
#include "ring/ledger/folder.hpp"

namespace anel {

struct LedgerIdentity {
    LedgerId id;
    OutputFormat format = OutputFormat::classic;
    std::uint64_t output_inode = 0;
    std::set<NodeId> nodes;           ///< every configured node
    std::uint64_t adopted_bytes = 0;  ///< what stood in output.txt before the ledger was made
    std::uint64_t base_offset = 0;    ///< where the first round begins: behind it, after a line feed
    friend bool operator==(const LedgerIdentity&, const LedgerIdentity&) = default;
};

/// The file, open and mapped. Word k of its first page belongs to node k.
class LedgerFile {
public:
    /// None where there is no such file. `unsupported`: made by a newer program; `ledger_damaged`.
    [[nodiscard]] static Result<std::optional<LedgerFile>> open(FileSystem& files, const Folders& folders,
                                                                bool writable);

    /// Makes the file, durable before and after it gets its name. False: another node was first, which is as good.
    [[nodiscard]] static Result<bool> create(FileSystem& files, const Folders& folders, const LedgerIdentity& identity);

    [[nodiscard]] const LedgerIdentity& identity() const { return identity_; }
    void set_call_word(NodeId node, CallId call);
    [[nodiscard]] CallId call_word(NodeId node) const;

private:
    Descriptor fd_;
    MappedPage words_;
    LedgerIdentity identity_;
};

}  // namespace anel

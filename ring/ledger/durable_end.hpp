// How far output.txt is certain: durable, written, and never to change. For one who only looks, while the ring runs.
//
// The segments' words are mapped by all nodes of the machine, so this needs no node: it says the same beside a node
// that serves, that is frozen, or that nobody speaks to.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ring/ledger/opened_ledger.hpp"

namespace anel {

struct DurableMark {
    std::uint64_t begin = 0;   ///< bytes; the files that had what is before were removed
    std::uint64_t offset = 0;  ///< bytes of output.txt, of whole rounds
    Round round;               ///< the last one before it
    bool all = true;           ///< nothing decided is behind it
};

class DurableEnd {
public:
    /// @param opened  outlives this.
    DurableEnd(FileSystem& files, OpenedLedger& opened) : place_{opened.place(files)}, output_{opened.output} {}

    /// Where the end is now; never below an earlier answer. `ledger_damaged`, `outside_hands`, `io_failed`.
    [[nodiscard]] Result<DurableMark> look();

private:
    [[nodiscard]] Result<void> follow();
    [[nodiscard]] Result<DurableMark> look_at_words();
    [[nodiscard]] Result<DurableMark> look_at_checkpoint() const;
    [[nodiscard]] Result<bool> is_written(std::uint64_t slot);

    LedgerPlace place_;
    [[nodiscard]] Result<DurableMark> look_once();
    Output& output_;
    std::unique_ptr<Segment> segment_;  ///< the newest
    std::uint64_t written_slots_ = 0;   ///< of it, known to stand in output.txt
    DurableMark mark_;
    Bytes record_;
    Bytes written_;
};

/// The name of what stands in output.txt: of the ledger, and of the last time outside hands were accepted in it. As long
/// as it is the same, the same bytes stand at each durable offset.
[[nodiscard]] Result<std::string> name_of_output(FileSystem& files, const OpenedLedger& opened);

}  // namespace anel

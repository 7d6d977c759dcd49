// The output part of an audit: bytes against bytes where the records are kept, against checksums below.
#pragma once

#include "ring/ledger/checkpoint_file.hpp"
#include "ring/ledger/output.hpp"

namespace anel {

class OutputAudit {
public:
    explicit OutputAudit(const Output& output) : output_{output} {}
    [[nodiscard]] const Output& file() const { return output_; }

    /// The first byte where output.txt is not `text`, written at `offset`; none: it is.
    [[nodiscard]] Result<std::optional<std::uint64_t>> first_difference(std::string_view text, std::uint64_t offset);

    /// Compares each finished MiB, and the unfinished one up to the checkpoint, with their checksums.
    /// @return what differs; none: nothing
    [[nodiscard]] Result<std::optional<std::string>> fault_in_blocks(FileSystem& files, const Folders& folders,
                                                                     const CheckpointMark* mark);

private:
    const Output& output_;
    Bytes found_;
};

}  // namespace anel

// A piece of the output as rows for other programs. Pure: bytes of the piece in, text out.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "client/command/output_reader.hpp"

namespace anel::command {

enum class RowFormat {
    jsonl,  ///< one object a line
    csv,    ///< RFC 4180, lines end with a line feed; the first one names the columns
};

/// Columns. A piece of the format classic: piece, row and round (both counted from 1 in this piece), container, message;
/// piece and row together name a message for ever. One of jsonl: what its objects have, as it stands there.
/// The message is the text as it stands in the piece, escapes included.
class RowWriter {
public:
    /// @param write  gets text of whole rows.
    RowWriter(std::uint64_t piece, RowFormat format, std::function<void(std::string_view)> write)
        : piece_{piece}, format_{format}, write_{std::move(write)} {}

    void feed(std::string_view bytes);
    [[nodiscard]] std::uint64_t rows() const { return rows_; }
    /// All bytes so far are whole lines, and no message has only its first one.
    [[nodiscard]] bool whole() const { return !inside_line_ && !inside_message_; }

private:
    void line(std::string_view text);
    void row(const ShownMessage& message);

    std::uint64_t piece_;
    RowFormat format_;
    std::function<void(std::string_view)> write_;
    LineCutter cutter_;
    OutputReader reader_;
    std::uint64_t rows_ = 0;
    std::uint64_t round_ = 1;
    bool inside_line_ = false;
    bool inside_message_ = false;
};

}  // namespace anel::command

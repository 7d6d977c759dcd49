// The text of output.txt: how a message stands in it, and what ends a round.
#pragma once

#include <string>
#include <string_view>

#include "common/client_protocol.hpp"
#include "common/ids.hpp"
#include "ring/core/config.hpp"

namespace anel {

struct OutputLine {
    NodeId container;  ///< the node that accepted the message
    std::string_view client_id;
    ClientSequence client_sequence;
    Sequence sequence;
    Round round;
    Message message;
};

/// Appends one message. No payload can forge a line: control characters, line breaks, backslashes and bytes that are
/// not UTF-8 are escaped.
void append_message(std::string& text, OutputFormat format, const OutputLine& line);

/// Appends what ends a round that has messages (classic: a line of 56 '#'; jsonl: nothing).
void append_round_end(std::string& text, OutputFormat format);

/// Appends `payload` with `\n`, `\t`, `\r`, `\\` and `\xNN` for everything that is not printable UTF-8.
void append_escaped(std::string& text, std::string_view payload);

/// Well formed UTF-8, printable or not.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace anel

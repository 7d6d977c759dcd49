// The values of the core as terms of the trace language.
#pragma once

#include "ring/core/io.hpp"
#include "tests/traces/term.hpp"

namespace anel::traces {

[[nodiscard]] Term term_of(const Control& message);
[[nodiscard]] Term term_of(const LinkMessage& message);
[[nodiscard]] Term term_of(const View& view);
[[nodiscard]] Term term_of(const RoundResult& result);
[[nodiscard]] Term term_of(const RoundRecord& record);
[[nodiscard]] Term term_of(const History& history);
[[nodiscard]] Term term_of(const ClientReply& reply);
[[nodiscard]] Term term_of(const Connection& connection);
/// A frame of a client: decoded where it can be, its bytes otherwise.
[[nodiscard]] Term term_of_frame(BytesView frame);
[[nodiscard]] Term term_of(const Input& input);
[[nodiscard]] Term term_of(const Action& action);

[[nodiscard]] Control control_of(const Term& term);
[[nodiscard]] LinkMessage link_message_of(const Term& term);
[[nodiscard]] History history_of(const Term& term);
[[nodiscard]] Bytes frame_of(const Term& term);
[[nodiscard]] Input input_of(const Term& term);

[[nodiscard]] std::string_view name_of(SuspectReason reason);
[[nodiscard]] SuspectReason reason_named(std::string_view name);

}  // namespace anel::traces

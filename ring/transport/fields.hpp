// The ring's messages as lists of fields: for each its word on the wire and how many fields it has.
//
// All fields of a message travel, in the order they are declared: a field that is added to a message without its
// number here does not compile. Another number or order is another ring_protocol_version.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "ring/transport/codec.hpp"

namespace anel::wire {

struct Shape {
    std::uint32_t fields = 0;
    std::string_view kind;  ///< empty: only ever a part of another message
};
// clang-format off
template <class Message> inline constexpr Shape shape_of{};
template <> inline constexpr Shape shape_of<Call>{4, "call"};
template <> inline constexpr Shape shape_of<Answer>{3, "answer"};
template <> inline constexpr Shape shape_of<Content>{2, "content"};
template <> inline constexpr Shape shape_of<Join>{1, "join"};
template <> inline constexpr Shape shape_of<ViewTold>{1, "view"};
template <> inline constexpr Shape shape_of<Ready>{1, "ready"};
template <> inline constexpr Shape shape_of<Suspect>{3, "suspect"};
template <> inline constexpr Shape shape_of<Wake>{3, "wake"};
template <> inline constexpr Shape shape_of<WakeAck>{1, "wake_ack"};
template <> inline constexpr Shape shape_of<DurableNotice>{1, "durable"};
template <> inline constexpr Shape shape_of<Who>{1, "who"};
template <> inline constexpr Shape shape_of<IAm>{3, "i_am"};
template <> inline constexpr Shape shape_of<Taken>{2, "taken"};
template <> inline constexpr Shape shape_of<AskFigures>{1, "ask_figures"};
template <> inline constexpr Shape shape_of<Figures>{3, "figures"};
template <> inline constexpr Shape shape_of<LinkHello>{3, "hello"};
template <> inline constexpr Shape shape_of<LinkWelcome>{3, "welcome"};
template <> inline constexpr Shape shape_of<HopAck>{2, "hop_ack"};
template <> inline constexpr Shape shape_of<Token>{4, "token"};
template <> inline constexpr Shape shape_of<View>{4, {}};
template <> inline constexpr Shape shape_of<Member>{3, {}};
template <> inline constexpr Shape shape_of<BidEntry>{2, {}};
template <> inline constexpr Shape shape_of<PlacedBytes>{2, {}};
template <> inline constexpr Shape shape_of<OpenRound>{5, {}};
template <> inline constexpr Shape shape_of<ClosedRound>{6, {}};
template <> inline constexpr Shape shape_of<RoundResult>{7, {}};
template <> inline constexpr Shape shape_of<SessionChange>{3, {}};
template <> inline constexpr Shape shape_of<Session>{7, {}};
// clang-format on

template <class M>
inline constexpr std::uint32_t field_count = shape_of<std::remove_const_t<M>>.fields;
template <class M>
concept HasShape = field_count<M> >
0;

/// Hands all fields of a message to an archive, which is called with each of them in turn.
template <class Archive, HasShape M>
void fields(Archive& archive, M& message) {
    const auto each = [&archive](auto&... field) { (archive(field), ...); };
    constexpr auto count = field_count<M>;
    static_assert(count <= 7);
    if constexpr (count == 1) {
        auto& [f1] = message;
        each(f1);
    } else if constexpr (count == 2) {
        auto& [f1, f2] = message;
        each(f1, f2);
    } else if constexpr (count == 3) {
        auto& [f1, f2, f3] = message;
        each(f1, f2, f3);
    } else if constexpr (count == 4) {
        auto& [f1, f2, f3, f4] = message;
        each(f1, f2, f3, f4);
    } else if constexpr (count == 5) {
        auto& [f1, f2, f3, f4, f5] = message;
        each(f1, f2, f3, f4, f5);
    } else if constexpr (count == 6) {
        auto& [f1, f2, f3, f4, f5, f6] = message;
        each(f1, f2, f3, f4, f5, f6);
    } else {
        auto& [f1, f2, f3, f4, f5, f6, f7] = message;
        each(f1, f2, f3, f4, f5, f6, f7);
    }
}

}  // namespace anel::wire

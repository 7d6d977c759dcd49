// Writing and reading the fields of ring messages: each message lists its fields once, for both directions.
#pragma once

#include <concepts>
#include <limits>
#include <msgpack.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/msgpack_reader.hpp"
#include "ring/transport/codec.hpp"

namespace anel::wire {

template <class M, class Kind>
concept Is = std::same_as<std::remove_const_t<M>, Kind>;

// One line a message. An Archive is a Writer, a Reader or a Counter.
template <class A>
void fields(A& a, Is<Member> auto& m) {
    a(m.id, m.incarnation, m.link_address);
}
template <class A>
void fields(A& a, Is<View> auto& m) {
    a(m.epoch, m.coordinator, m.segment, m.members);
}
template <class A>
void fields(A& a, Is<Call> auto& m) {
    a(m.call, m.ledger, m.highest);
}
template <class A>
void fields(A& a, Is<Answer> auto& m) {
    a(m.call, m.highest, m.link_address);
}
template <class A>
void fields(A& a, Is<Content> auto& m) {
    a(m.epoch, m.coordinator);
}
template <class A>
void fields(A& a, Is<Join> auto& m) {
    a(m.highest);
}
template <class A>
void fields(A& a, Is<ViewTold> auto& m) {
    a(m.view);
}
template <class A>
void fields(A& a, Is<Ready> auto& m) {
    a(m.epoch);
}
template <class A>
void fields(A& a, Is<Suspect> auto& m) {
    a(m.epoch, m.reason, m.about);
}
template <class A>
void fields(A& a, Is<Wake> auto& m) {
    a(m.epoch);
}
template <class A>
void fields(A& a, Is<WakeAck> auto& m) {
    a(m.epoch);
}
template <class A>
void fields(A& a, Is<DurableNotice> auto& m) {
    a(m.round);
}
template <class A>
void fields(A& a, Is<Who> auto& m) {
    a(m.nonce);
}
template <class A>
void fields(A& a, Is<IAm> auto& m) {
    a(m.nonce, m.id, m.incarnation);
}
template <class A>
void fields(A& a, Is<Taken> auto& m) {
    a(m.id, m.incarnation);
}
template <class A>
void fields(A& a, Is<LinkHello> auto& m) {
    a(m.epoch, m.from, m.incarnation);
}
template <class A>
void fields(A& a, Is<LinkWelcome> auto& m) {
    a(m.epoch, m.from, m.incarnation);
}
template <class A>
void fields(A& a, Is<HopAck> auto& m) {
    a(m.epoch, m.hop);
}
template <class A>
void fields(A& a, Is<Token> auto& m) {
    a(m.epoch, m.hop, m.open, m.closed);
}
template <class A>
void fields(A& a, Is<OpenRound> auto& m) {
    a(m.opened, m.opener, m.votes, m.full, m.bids);
}
template <class A>
void fields(A& a, Is<ClosedRound> auto& m) {
    a(m.opened, m.writer, m.disk_full, m.result);
}
template <class A>
void fields(A& a, Is<RoundResult> auto& m) {
    a(m.segment, m.round, m.first, m.count, m.wall_us, m.output_bytes, m.changes);
}
template <class A>
void fields(A& a, Is<SessionChange> auto& m) {
    a(m.client_id, m.session, m.each);
}
template <class A>
void fields(A& a, Is<Session> auto& m) {
    a(m.instance, m.birth, m.last, m.sequence, m.round, m.wall_us, m.inherited);
}

/// Which word names a message on the wire.
template <class Message>
inline constexpr std::string_view kind_of = "";
template <>
inline constexpr std::string_view kind_of<Call> = "call";
template <>
inline constexpr std::string_view kind_of<Answer> = "answer";
template <>
inline constexpr std::string_view kind_of<Content> = "content";
template <>
inline constexpr std::string_view kind_of<Join> = "join";
template <>
inline constexpr std::string_view kind_of<ViewTold> = "view";
template <>
inline constexpr std::string_view kind_of<Ready> = "ready";
template <>
inline constexpr std::string_view kind_of<Suspect> = "suspect";
template <>
inline constexpr std::string_view kind_of<Wake> = "wake";
template <>
inline constexpr std::string_view kind_of<WakeAck> = "wake_ack";
template <>
inline constexpr std::string_view kind_of<DurableNotice> = "durable";
template <>
inline constexpr std::string_view kind_of<Who> = "who";
template <>
inline constexpr std::string_view kind_of<IAm> = "i_am";
template <>
inline constexpr std::string_view kind_of<Taken> = "taken";
template <>
inline constexpr std::string_view kind_of<LinkHello> = "hello";
template <>
inline constexpr std::string_view kind_of<LinkWelcome> = "welcome";
template <>
inline constexpr std::string_view kind_of<HopAck> = "hop_ack";
template <>
inline constexpr std::string_view kind_of<Token> = "token";

struct Counter {
    std::uint32_t count = 0;
    template <class... Field>
    void operator()(const Field&...) {
        count += sizeof...(Field);
    }
};
template <class Message>
std::uint32_t count_of(Message& message) {
    Counter counter;
    fields(counter, message);
    return counter.count;
}

inline constexpr auto suspect_reason_last = SuspectReason::start_overdue;

class Writer {
public:
    template <class... Field>
    void operator()(const Field&... field) {
        (put(field), ...);
    }

    void array(std::size_t elements) { packer_.pack_array(static_cast<std::uint32_t>(elements)); }
    void put(std::uint64_t number) { packer_.pack_uint64(number); }
    void put(std::int64_t number) { packer_.pack_int64(number); }
    void put(bool truth) { truth ? packer_.pack_true() : packer_.pack_false(); }
    void put(std::string_view text) {
        packer_.pack_str(static_cast<std::uint32_t>(text.size()));
        packer_.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
    }
    void put(SuspectReason reason) { put(static_cast<std::uint64_t>(reason)); }
    template <class Tag>
    void put(Strong<Tag> number) {
        put(number.value);
    }
    template <class Item>
    void put(const std::vector<Item>& items) {
        array(items.size());
        for (const auto& item : items) put(item);
    }
    template <class Item>
    void put(const std::optional<Item>& item) {
        array(item ? 1 : 0);
        if (item) put(*item);
    }
    template <class Message>
    requires requires(Counter& c, const Message& m) { fields(c, m); }
    void put(const Message& message) {
        array(count_of(message));
        fields(*this, message);
    }
    void put(const Bid& bid);  ///< its chunks go into frames()

    [[nodiscard]] Bytes take() { return std::move(sink_.bytes); }
    [[nodiscard]] Frames& frames() { return frames_; }

private:
    struct Sink {
        Bytes bytes;
        void write(const char* data, std::size_t size) {
            const auto* first = reinterpret_cast<const std::byte*>(data);
            bytes.insert(bytes.end(), first, first + size);
        }
    };
    Sink sink_;
    msgpack::packer<Sink> packer_{sink_};
    Frames frames_;
};

class Reader {
public:
    /// @param frames  the chunk frames that bids take theirs from, in order.
    explicit Reader(BytesView bytes, std::span<const Blob> frames = {}) : reader_{bytes}, frames_{frames} {}

    template <class... Field>
    void operator()(Field&... field) {
        (get(field), ...);
    }

    [[nodiscard]] bool ok() const { return ok_ && reader_.ok(); }
    /// All read: no byte and no frame is left.
    [[nodiscard]] bool done() const { return ok() && reader_.done() && frames_.empty(); }

    std::uint32_t array() { return taken(reader_.array()); }
    std::string_view text() { return taken(reader_.text()); }

    void get(std::uint64_t& number) { number = taken(reader_.unsigned_integer()); }
    void get(std::int64_t& number) { number = taken(reader_.integer()); }
    void get(bool& truth) { truth = taken(reader_.boolean()); }
    void get(std::string& text_out) {
        const auto read = text();
        require(read.size() <= limits::address_bytes_max);
        if (ok()) text_out = std::string{read};
    }
    void get(SuspectReason& reason) {
        const auto number = taken(reader_.unsigned_integer());
        require(number <= static_cast<std::uint64_t>(suspect_reason_last));
        if (ok()) reason = static_cast<SuspectReason>(number);
    }
    template <class Tag>
    void get(Strong<Tag>& number) {
        get(number.value);
    }
    void get(NodeId& id) {
        get(id.value);
        require(id.value < limits::nodes_max);
    }
    void get(Incarnation& incarnation) {
        get(incarnation.value);
        require(incarnation.value != 0);
    }
    template <class Item>
    void get(std::vector<Item>& items) {
        const auto count = array();
        for (std::uint32_t index = 0; index < count && ok(); ++index) get(items.emplace_back());
    }
    template <class Item>
    void get(std::optional<Item>& item) {
        const auto count = array();
        require(count <= 1);
        if (ok() && count == 1) get(item.emplace());
    }
    template <class Message>
    requires requires(Counter& c, Message& m) { fields(c, m); }
    void get(Message& message) {
        require(array() == count_of(message));
        if (ok()) fields(*this, message);
        require(sound(message));
    }
    void get(Bid& bid);  ///< its chunks come from the frames

    void require(bool truth) { ok_ = ok_ && truth; }

private:
    template <class Message>
    bool sound(const Message&) {
        return true;
    }
    bool sound(const View& view);
    bool sound(const OpenRound& round);
    bool sound(const SessionChange& change);

    template <class Value>
    Value taken(std::optional<Value> read) {
        return read.value_or(Value{});
    }

    MsgpackReader reader_;
    std::span<const Blob> frames_;
    bool ok_ = true;
};

/// [version, kind, fields...] of one message.
template <class Message>
void put_message(Writer& writer, const Message& message) {
    writer.array(2 + count_of(message));
    writer.put(ring_protocol_version);
    writer.put(kind_of<Message>);
    fields(writer, message);
}

}  // namespace anel::wire

// Archives of fields: one writes them, the other reads them and trusts nothing.
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
#include "ring/transport/fields.hpp"

namespace anel::wire {

inline constexpr auto suspect_reason_last = SuspectReason::bid_lost;

class Writer {
public:
    void operator()(const auto& field) { put(field); }

    void array(std::size_t elements) { packer_.pack_array(static_cast<std::uint32_t>(elements)); }
    void put(std::uint64_t number) { packer_.pack_uint64(number); }
    void put(std::int64_t number) { packer_.pack_int64(number); }
    void put(std::uint32_t number) { packer_.pack_uint32(number); }
    void put(bool truth) { truth ? packer_.pack_true() : packer_.pack_false(); }
    void put(std::string_view text) {
        packer_.pack_str(static_cast<std::uint32_t>(text.size()));
        packer_.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
    }
    void put(const Blob& blob) {
        const auto bytes = blob.text();
        packer_.pack_bin(static_cast<std::uint32_t>(bytes.size()));
        packer_.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
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
    template <HasShape Message>
    void put(const Message& message) {
        array(field_count<Message>);
        fields(*this, message);
    }
    void put(const Bid& bid);

    [[nodiscard]] Bytes take() { return std::move(sink_.bytes); }

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
};

class Reader {
public:
    explicit Reader(BytesView bytes) : reader_{bytes} {}
    /// What bids bring stays a part of `frame`.
    explicit Reader(const Blob& frame) : frame_{frame}, reader_{frame.bytes()} {}

    void operator()(auto& field) { get(field); }

    [[nodiscard]] bool ok() const { return ok_ && reader_.ok(); }
    [[nodiscard]] bool done() const { return ok() && reader_.done(); }

    std::uint32_t array() { return taken(reader_.array()); }
    std::string_view text() { return taken(reader_.text()); }

    void get(std::uint64_t& number) { number = taken(reader_.unsigned_integer()); }
    void get(std::uint32_t& number) {
        const auto read = taken(reader_.unsigned_integer());
        require(read <= std::numeric_limits<std::uint32_t>::max());
        number = static_cast<std::uint32_t>(read);
    }
    void get(std::int64_t& number) { number = taken(reader_.integer()); }
    void get(bool& truth) { truth = taken(reader_.boolean()); }
    void get(std::string& text_out) {
        const auto read = text();
        require(read.size() <= limits::address_bytes_max);
        if (ok()) text_out = std::string{read};
    }
    void get(Blob& blob) {
        const auto read = taken(reader_.binary());
        if (ok()) blob = Blob::copy(read);
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
    template <HasShape Message>
    void get(Message& message) {
        require(array() == field_count<Message>);
        if (ok()) fields(*this, message);
        require(sound(message));
    }
    void get(Bid& bid);

    void require(bool truth) { ok_ = ok_ && truth; }

private:
    template <class Message>
    bool sound(const Message&) {
        return true;
    }
    bool sound(const View& view);
    bool sound(const OpenRound& round);
    bool sound(const Wake& wake);
    bool sound(const SessionChange& change);

    template <class Value>
    Value taken(std::optional<Value> read) {
        return read.value_or(Value{});
    }

    Blob frame_;
    MsgpackReader reader_;
    bool ok_ = true;
};

/// [version, kind, fields...] of one message.
template <class Message>
void put_message(Writer& writer, const Message& message) {
    writer.array(2 + field_count<Message>);
    writer.put(ring_protocol_version);
    writer.put(shape_of<Message>.kind);
    fields(writer, message);
}

}  // namespace anel::wire

// A push frame that grows in place: messages are encoded once, as they come, and sent without a copy.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/blob.hpp"
#include "common/ids.hpp"

namespace anel::client {

/// One `push` of the client protocol under construction. The head has a fixed length (integers in their
/// widest form, which every msgpack reader takes), so that the first client sequence and the count are
/// written into it when the batch is sent, and changed when it is renumbered.
class Batch {
public:
    Batch(std::string_view client_id, Instance instance, std::size_t expected_bytes = 0);

    /// Appends one message. The caller keeps to the limits: 65,535 messages, the node's sizes.
    void append(Timestamp timestamp, std::string_view payload);

    [[nodiscard]] std::uint32_t count() const { return count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::size_t frame_bytes() const { return bytes_->size(); }
    /// What the messages take in it, without the head.
    [[nodiscard]] std::size_t messages_bytes() const { return bytes_->size() - head_bytes_; }
    /// Largest number of bytes that `append` adds to the frame for a payload of this size.
    [[nodiscard]] static std::size_t bytes_for(std::size_t payload_bytes) { return payload_bytes + 15; }

    /// The frame, its first message numbered `first`. Frames given out before keep their bytes.
    [[nodiscard]] Blob frame(ClientSequence first);

    /// Cuts the batch: keeps the first `count` messages and returns the others. 0 < count < count().
    [[nodiscard]] Batch split_behind(std::uint32_t count);

    /// Calls `each(timestamp, payload)` for every message.
    template <class Each>
    void for_each(Each each) const;

private:
    [[nodiscard]] BytesView messages() const { return BytesView{*bytes_}.subspan(head_bytes_); }

    std::size_t head_bytes_ = 0;
    std::uint32_t count_ = 0;
    bool given_out_ = false;  ///< somebody may be reading bytes_ as they are
    std::shared_ptr<Bytes> bytes_;
};

}  // namespace anel::client

#include "common/assert.hpp"
#include "common/msgpack_reader.hpp"

template <class Each>
void anel::client::Batch::for_each(Each each) const {
    MsgpackReader reader{messages()};
    for (std::uint32_t index = 0; index < count_; ++index) {
        const auto pair = reader.array();
        const auto timestamp = reader.integer();
        const auto payload = reader.text_or_binary();
        ANEL_ASSERT(pair && timestamp && payload);
        each(Timestamp{*timestamp}, *payload);
    }
}

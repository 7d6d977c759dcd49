// What the codecs of the client protocol and of the feed write with. For their .cpp files alone: it needs msgpack-c.
#pragma once

#include <msgpack.hpp>
#include <string_view>

#include "common/blob.hpp"

namespace anel {

/// What msgpack::packer writes into.
struct ByteSink {
    Bytes bytes;
    void write(const char* data, std::size_t size) {
        const auto* first = reinterpret_cast<const std::byte*>(data);
        bytes.insert(bytes.end(), first, first + size);
    }
};
using Packer = msgpack::packer<ByteSink>;

inline void pack_text(Packer& packer, std::string_view text) {
    packer.pack_str(static_cast<std::uint32_t>(text.size()));
    packer.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

/// The head of every message of either protocol; `fields` follow.
inline void begin_message(Packer& packer, std::uint64_t version, std::uint32_t fields, std::string_view kind) {
    packer.pack_array(fields + 2);
    packer.pack_uint64(version);
    pack_text(packer, kind);
}

}  // namespace anel

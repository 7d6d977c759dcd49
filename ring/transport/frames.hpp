// Between ZeroMQ messages and Blobs: large bytes change hands without a copy, small ones are cheaper copied.
#pragma once

#include <zmq.hpp>

#include "common/blob.hpp"
#include "ring/core/io.hpp"
#include "ring/transport/codec.hpp"
#include "ring/transport/sockets.hpp"

namespace anel {

/// libzmq cuts messages out of receive buffers of this size; a small one that stays would keep all of it alive.
inline constexpr std::size_t receive_buffer_bytes = 8192;

/// The bytes of a received message, which the blob keeps alive (or a copy of them).
[[nodiscard]] Blob to_blob(zmq::message_t&& message);
/// A message with the blob's bytes. libzmq drops the shared owner, on its own thread, when they are on their way.
[[nodiscard]] zmq::message_t to_message(const Blob& blob);
[[nodiscard]] zmq::message_t to_message(BytesView bytes);

using Frames = std::vector<Blob>;

/// What came of receiving one message of several frames.
struct Received {
    Frames frames;
    bool overlong = false;       ///< it had more frames or bytes than allowed; it was read to its end and dropped
    int descriptor = -1;         ///< of the TCP connection it came over; -1: not known
    std::size_t wire_bytes = 0;  ///< of the frames behind the first (a ROUTER's routing id), with their ZMTP heads
};
/// Receives without waiting. @return nothing where no message waits.
[[nodiscard]] std::optional<Received> receive_frames(Socket& socket, std::size_t frames_max, std::size_t bytes_max);

/// The longest routing id of a ROUTER's peer.
inline constexpr std::size_t routing_id_bytes_max = 255;
/// One frame of a ROUTER's peer. @return the next message; nothing where none waits.
[[nodiscard]] inline std::optional<Received> receive_from_peer(Socket& router, std::size_t frame_bytes_max) {
    return receive_frames(router, 3, frame_bytes_max + routing_id_bytes_max);
}
/// Its sender and its frame, which stands behind the routing id and perhaps the empty delimiter of a REQ; nothing where
/// it is anything else.
[[nodiscard]] std::optional<ClientArrived> frame_of(Received&& received);

/// Sends without waiting. @return false: there was no room, or a ROUTER's peer is gone.
[[nodiscard]] bool send_frames(Socket& socket, const Frames& frames);
/// The same, of one frame to a peer of a ROUTER.
[[nodiscard]] bool send_to_peer(Socket& router, const Connection& to, Blob frame);

}  // namespace anel

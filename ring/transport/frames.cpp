#include "ring/transport/frames.hpp"

#include <zmq.h>

#include <charconv>

namespace anel {
namespace {

void drop_owner(void*, void* hint) { delete static_cast<Blob*>(hint); }

int descriptor_of(const zmq::message_t& message) {
    // ZMQ_SRCFD by its name: the getter for numbers is marked deprecated, the property is not.
    const char* text = zmq_msg_gets(message.handle(), "__fd");
    int descriptor = -1;
    if (text != nullptr) std::from_chars(text, text + std::strlen(text), descriptor);
    return descriptor;
}

}  // namespace

Blob to_blob(zmq::message_t&& message) {
    const BytesView view{static_cast<const std::byte*>(message.data()), message.size()};
    if (message.size() < receive_buffer_bytes) return Blob::copy(view);
    // Nothing moves in memory: the bytes of a large message lie outside of it.
    auto owner = std::make_shared<zmq::message_t>(std::move(message));
    return {std::move(owner), view};
}

zmq::message_t to_message(BytesView bytes) { return zmq::message_t{bytes.data(), bytes.size()}; }

zmq::message_t to_message(const Blob& blob) {
    if (blob.size() < receive_buffer_bytes) return to_message(blob.bytes());
    // libzmq takes a pointer to changeable bytes and changes none of them.
    void* data = const_cast<std::byte*>(blob.bytes().data());
    auto owner = std::make_unique<Blob>(blob);
    zmq::message_t message{data, blob.size(), drop_owner, owner.get()};
    static_cast<void>(owner.release());  // only now does libzmq own it
    return message;
}

std::optional<Received> receive_frames(Socket& socket, std::size_t frames_max, std::size_t bytes_max) {
    Received received;
    std::size_t bytes = 0;
    bool more = true;
    for (bool first = true; more; first = false) {
        zmq::message_t message;
        if (!socket.receive(message)) return std::nullopt;
        if (first) received.descriptor = descriptor_of(message);
        else received.wire_bytes += message.size() + (message.size() > 255 ? 9 : 2);
        more = message.more();
        bytes += message.size();
        received.overlong = received.overlong || received.frames.size() == frames_max || bytes > bytes_max;
        if (received.overlong) {
            received.frames.clear();
        } else {
            received.frames.push_back(to_blob(std::move(message)));
        }
    }
    return received;
}

std::optional<ClientArrived> frame_of(Received&& received) {
    auto& frames = received.frames;
    const bool delimiter = frames.size() == 3 && frames[1].empty();
    if (received.overlong || (frames.size() != 2 && !delimiter)) return std::nullopt;
    return ClientArrived{Connection{std::string{frames[0].text()}, delimiter}, std::move(frames.back())};
}

bool send_frames(Socket& socket, const Frames& frames) {
    for (std::size_t index = 0; index < frames.size(); ++index) {
        auto message = to_message(frames[index]);
        const auto more = index + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
        try {
            if (!socket.send(message, more)) return false;
        } catch (const zmq::error_t&) {
            return false;  // EHOSTUNREACH of a ROUTER whose peer is gone
        }
    }
    return true;
}

bool send_to_peer(Socket& router, const Connection& to, Blob frame) {
    Frames frames;
    frames.reserve(3);
    frames.push_back(Blob::copy(to.routing_id));
    if (to.delimiter) frames.emplace_back();
    frames.push_back(std::move(frame));
    return send_frames(router, frames);
}

}  // namespace anel

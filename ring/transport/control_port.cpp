#include "ring/transport/control_port.hpp"

#include "ring/transport/frames.hpp"

namespace anel {
namespace {

constexpr int messages_per_turn = 256;
/// A node that lives answers in less; one that does not is taken for gone.
constexpr Duration answer_patience = std::chrono::milliseconds{500};

}  // namespace

ControlPort::ControlPort(zmq::context_t& context, const std::string& address, NodeId self, Incarnation incarnation,
                         bool ipv6, Heartbeat heartbeat)
    : self_{self},
      incarnation_{incarnation},
      socket_{open_socket(context, SocketKind::control_port, limits::control_bytes_max, ipv6, heartbeat)},
      nonces_{incarnation.value} {
    socket_.raw().bind(address);
}

bool ControlPort::answer(const std::string& connection, const ControlFrame& frame) {
    return send_frames(socket_, {Blob::copy(connection), Blob::of(encode_control(frame))});
}

void ControlPort::note(const ControlEnvelope& envelope, const std::string& connection, Instant now) {
    if (envelope.from == self_) {
        if (envelope.incarnation != incarnation_) answer(connection, Taken{self_, envelope.incarnation});
        return;
    }
    const Life speaker{envelope.incarnation, connection};
    const auto [place, is_first] = known_.try_emplace(envelope.from, Known{speaker, {}});
    auto& known = place->second;
    if (is_first || known.life.incarnation == envelope.incarnation) {
        known.life = speaker;
        return;
    }
    if (known.challenge && now - known.challenge->since < answer_patience) return;
    const bool was_silent = known.challenge && known.challenge->newcomer.incarnation == envelope.incarnation;
    known.challenge = Challenge{speaker, nonces_(), now};
    if (was_silent || !answer(known.life.connection, Who{known.challenge->nonce})) known = Known{speaker, {}};
}

void ControlPort::heard(const IAm& heard_answer) {
    const auto place = known_.find(heard_answer.id);
    if (place == known_.end() || !place->second.challenge) return;
    const auto& [life, challenge] = place->second;
    if (challenge->nonce != heard_answer.nonce || life.incarnation != heard_answer.incarnation) return;
    answer(challenge->newcomer.connection, Taken{heard_answer.id, challenge->newcomer.incarnation});
    place->second.challenge.reset();
}

void ControlPort::receive(std::vector<ControlEnvelope>& envelopes, Instant now) {
    if (!readable_) return;
    for (int count = 0; count < messages_per_turn; ++count) {
        const auto received = receive_frames(socket_, 2, 2 * limits::control_bytes_max);
        if (!received) return;
        if (received->overlong || received->frames.size() != 2) {
            ++counters_.malformed;
            continue;
        }
        auto frame = decode_control(received->frames[1].bytes());
        if (!frame) {
            ++counters_.malformed;
            continue;
        }
        ++counters_.received;
        const std::string connection{received->frames[0].text()};
        std::visit(Overloaded{[&](ControlEnvelope& envelope) {
                                  note(envelope, connection, now);
                                  if (envelope.from != self_) envelopes.push_back(std::move(envelope));
                              },
                              [&](const Who& who) {
                                  answer(connection, IAm{who.nonce, self_, incarnation_});
                              },
                              [&](const IAm& i_am) { heard(i_am); },
                              [&](const AskFigures& ask) {
                                  figures_asked_.push_back({connection, ask.nonce});
                              },
                              [](const Taken&) {}, [](const Figures&) {}},
                   *frame);
    }
}

void ControlPort::tell_figures(const std::string& json) {
    const auto blob = Blob::copy(json);
    for (const auto& [connection, nonce] : std::exchange(figures_asked_, {})) {
        answer(connection, Figures{nonce, self_, blob});
    }
}

}  // namespace anel

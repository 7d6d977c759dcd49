#include "ring/transport/figures_asker.hpp"

#include <optional>

#include "ring/transport/frames.hpp"

namespace anel {
namespace {

/// A node that owes an answer for so long is asked over a fresh connection.
constexpr Duration answer_patience = std::chrono::seconds{1};
/// Without a connection for so long: its name may lead elsewhere by now.
constexpr Duration connection_patience = std::chrono::seconds{3};

}  // namespace

struct FiguresAsker::Peer {
    Endpoint endpoint;
    std::optional<Socket> socket;
    Instant connecting_since{};
    Instant asked_at{};
    std::uint64_t nonce = 0;  ///< of the last question
    bool owes = false;        ///< its answer
    bool readable = false;
};

FiguresAsker::FiguresAsker(zmq::context_t& context, const std::map<NodeId, Endpoint>& nodes, NodeId self, bool ipv6)
    : context_{context}, ipv6_{ipv6} {
    for (const auto& [id, endpoint] : nodes) {
        if (id == self) continue;
        peers_[id] = std::make_unique<Peer>();
        peers_[id]->endpoint = endpoint;
    }
}
FiguresAsker::~FiguresAsker() = default;

void FiguresAsker::connect_resolved(Instant now) {
    for (const auto& resolved : resolver_.take()) {
        if (resolved.numeric_host.empty()) continue;
        auto& peer = *peers_.at(resolved.node);
        try {
            auto& socket =
                peer.socket.emplace(open_socket(context_, SocketKind::control_peer, limits::control_bytes_max, ipv6_));
            socket.raw().connect(tcp_address(resolved.numeric_host, peer.endpoint.port));
            peer.connecting_since = now;
        } catch (const zmq::error_t&) {
            peer.socket.reset();  // an address that cannot be: the next look-up may give another
        }
    }
}

void FiguresAsker::put_question(NodeId node, Peer& peer, Instant now) {
    if (peer.owes && now - peer.asked_at < answer_patience) return;
    if (peer.owes) peer.socket.reset();
    peer.owes = false;
    if (!peer.socket) {
        resolver_.ask(node, peer.endpoint.host, now);
        return;
    }
    auto question = to_message(BytesView{encode_control(AskFigures{++nonce_})});
    if (!peer.socket->send(question)) {
        if (now - peer.connecting_since >= connection_patience) peer.socket.reset();
        return;
    }
    peer.nonce = nonce_;
    peer.asked_at = peer.connecting_since = now;
    peer.owes = true;
}

bool FiguresAsker::take_answer(Peer& peer, std::string& document) {
    while (auto received = receive_frames(*peer.socket, 1, limits::control_bytes_max)) {
        if (received->overlong) continue;
        auto frame = decode_control(received->frames.front().bytes());
        auto* figures = frame ? std::get_if<Figures>(&*frame) : nullptr;
        if (figures == nullptr || figures->nonce != peer.nonce) continue;
        peer.owes = false;
        document = std::string{figures->json.text()};
        return true;
    }
    return false;
}

std::map<NodeId, std::string> FiguresAsker::ask(Instant now, std::chrono::milliseconds patience) {
    connect_resolved(now);
    for (auto& [id, peer] : peers_) put_question(id, *peer, now);
    std::map<NodeId, std::string> documents;
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        PollSet set;
        bool awaited = false;
        for (auto& [id, peer] : peers_) {
            if (!peer->owes) continue;
            set.add(*peer->socket, peer->readable);
            awaited = true;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (!awaited || left.count() <= 0) return documents;
        set.wait(left);
        for (auto& [id, peer] : peers_) {
            if (!peer->owes || !peer->readable) continue;
            std::string document;
            if (take_answer(*peer, document)) documents[id] = std::move(document);
        }
    }
}

}  // namespace anel

// The plain pipeline: speaks the client protocol, writes what a ring would write, and has no ring, no vote, no recovery.
#pragma once

#include <deque>
#include <map>
#include <zmq.hpp>

#include "common/client_protocol.hpp"
#include "tests/bench/pipeline/log.hpp"

namespace anel::bench {

class PipelineServer {
public:
    explicit PipelineServer(const std::string& folder);
    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Serves until a signal ends the process.
    [[noreturn]] void run();

private:
    struct Client {
        std::string routing;
        ClientSequence last;
        bool in_round = false;
    };
    struct AckDue {
        Round round;
        std::string client_id;
        ClientSequence last;
        Sequence sequence;
    };
    void take_frames();
    void take(const std::string& routing, BytesView frame);
    void on(const std::string& routing, const HelloRequest& hello);
    void on(const std::string& routing, const PushRequest& push);
    void on(const std::string& routing, const ByeRequest& bye);
    void on(const std::string& routing, const StatusRequest&);
    void close_round();
    void ack_durable();
    void reply(const std::string& routing, const ClientReply& reply);

    zmq::context_t context_;
    zmq::socket_t router_;
    std::uint16_t port_ = 0;
    PlainLog log_;
    RoundRecord open_;
    Sequence written_;
    std::map<std::string, Client, std::less<>> clients_;
    std::deque<AckDue> due_;
};

}  // namespace anel::bench

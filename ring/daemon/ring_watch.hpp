// The thread behind the status page: while somebody looks, it asks every node for its figures and publishes a picture
// of the ring. While nobody does, it sleeps and has no connections.
#pragma once

#include <functional>
#include <thread>

#include "ring/daemon/report_text.hpp"
#include "ring/ops/feed.hpp"
#include "ring/transport/figures_asker.hpp"

namespace anel {

class RingWatch {
public:
    struct Parts {
        zmq::context_t& context;
        const Settings& settings;
        bool ipv6 = false;
        Feed& feed;
        std::function<std::string()> own_figures;  ///< called on the watch's thread; empty: the loop stands still
    };
    explicit RingWatch(Parts parts) : parts_{std::move(parts)}, thread_{[this] { run(); }} {}
    RingWatch(const RingWatch&) = delete;
    RingWatch& operator=(const RingWatch&) = delete;
    ~RingWatch() {
        parts_.feed.close();
        thread_.join();
    }

private:
    void run();

    Parts parts_;
    std::thread thread_;  ///< last: starts when all else stands
};

}  // namespace anel

// Somebody who sends what no client sends: cut frames, frames with something behind them, rubbish that begins like
// msgpack, pushes without a hello, hellos under the nodes' names. Nobody may be harmed, and nothing may be written.
#pragma once

#include <string>

#include "tests/simulation/mail.hpp"

namespace anel::simulation {

class Vandal {
public:
    Vandal(World& world, Mail& mail) : world_{world}, mail_{mail} {}
    void start() { tick(); }

private:
    void tick();
    [[nodiscard]] Bytes good_frame();
    [[nodiscard]] Bytes bad_frame();
    static void heard(const ClientReply& reply);

    World& world_;
    Mail& mail_;
};

}  // namespace anel::simulation

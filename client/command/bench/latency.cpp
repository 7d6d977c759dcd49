#include "client/command/bench/kinds.hpp"
#include "client/command/bench/load.hpp"
#include "client/command/commands.hpp"

namespace anel::command::bench {

bool latency(Ring& ring, const Options& options, nlohmann::json& result) {
    bool right = true;
    for (const bool at_holder : {true, false}) {
        auto client_options = ring.client_options(at_holder ? 0 : options.nodes / 2, false);
        client_options.client_id += at_holder ? "-holder" : "-other";
        client::Client client{client_options};
        const std::string payload(options.size, 'x');
        Samples samples;
        for (int message = 0; message < 100; ++message) (void)client.push(payload, message).get();
        const auto until = steady_clock::now() + std::chrono::duration<double>(options.seconds / 2);
        while (steady_clock::now() < until && !signalled()) {
            const auto begun = steady_clock::now();
            right = std::holds_alternative<client::Durable>(client.push(payload, 1).get()) && right;
            samples.add(steady_clock::now() - begun);
        }
        result[at_holder ? "client_at_node_0" : "client_at_another_node"] = samples.summary();
    }
    return right;
}

}  // namespace anel::command::bench

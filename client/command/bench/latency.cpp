#include "client/command/bench/kinds.hpp"
#include "client/command/bench/load.hpp"
#include "client/command/commands.hpp"

namespace anel::command::bench {

using namespace std::chrono_literals;

namespace {

/// Clients with one message in flight among all of them.
class Turns {
public:
    Turns(const Ring& ring, const Options& options) : ring_{ring}, options_{options} {}

    client::Client make(std::size_t node, const std::string& name) const {
        auto client_options = ring_.client_options(node, false);
        client_options.client_id += name;
        return client::Client{client_options};
    }
    /// Waits for the ack. @return for how long.
    steady_clock::duration push(client::Client& client) {
        const auto begun = steady_clock::now();
        right_ = std::holds_alternative<client::Durable>(client.push(payload_, 1).get()) && right_;
        return steady_clock::now() - begun;
    }
    /// A third of the run of what `one` says, and before it a second that does not count.
    template <class One>
    nlohmann::json sample(One one) {
        const auto begun = steady_clock::now();
        while (steady_clock::now() < begun + 1s && !signalled()) (void)one();
        Samples samples;
        const auto until = steady_clock::now() + std::chrono::duration<double>(options_.seconds / 3);
        while (steady_clock::now() < until && !signalled()) samples.add(one());
        return samples.summary();
    }
    [[nodiscard]] bool right() const { return right_; }

private:
    const Ring& ring_;
    const Options& options_;
    std::string payload_ = std::string(options_.size, 'x');
    bool right_ = true;
};

}  // namespace

/// A client alone has the token at its node after a few messages; of two in turn one never has.
bool latency(Ring& ring, const Options& options, nlohmann::json& result) {
    Turns turns{ring, options};
    const auto other_node = options.nodes / 2;
    auto first = turns.make(0, "-holder");
    result["client_at_node_0"] = turns.sample([&] { return turns.push(first); });
    auto other = turns.make(other_node, "-other");
    result["client_at_another_node"] = turns.sample([&] { return turns.push(other); });
    if (other_node == 0) return turns.right();
    result["client_where_the_token_never_rests"] = turns.sample([&] {
        (void)turns.push(first);
        return turns.push(other);
    });
    return turns.right();
}

}  // namespace anel::command::bench

// Messages with random contents, for properties.
#pragma once

#include <random>

#include "ring/transport/codec.hpp"

namespace anel::test {

/// ANEL_SEED of the environment, or the given one; print it with what fails.
[[nodiscard]] std::uint64_t seed_or(std::uint64_t fallback);

class RandomMessages {
public:
    explicit RandomMessages(std::uint64_t seed) : random_{seed} {}
    [[nodiscard]] ControlFrame control();
    [[nodiscard]] LinkMessage link();
    [[nodiscard]] Token token();
    /// 0 to most, small numbers often.
    [[nodiscard]] std::uint64_t number(std::uint64_t most = UINT64_MAX);
    [[nodiscard]] std::size_t below(std::size_t end) { return random_() % end; }

private:
    // An archive as in ring/transport/wire.hpp, so that no field is forgotten.
    friend struct Filler;
    std::string text(std::size_t least, std::size_t most);
    std::mt19937_64 random_;
};

/// A token whose open round has these bids.
[[nodiscard]] Token token_with(std::vector<Bid> bids);

/// The bid with its chunks as one, by which bids are compared: encoding may merge chunks.
[[nodiscard]] Bid merged(const Bid& bid);
[[nodiscard]] LinkMessage merged(LinkMessage message);

}  // namespace anel::test

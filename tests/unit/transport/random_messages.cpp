#include "tests/unit/transport/random_messages.hpp"

#include <cstdlib>

#include "ring/transport/fields.hpp"

namespace anel::test {

std::uint64_t seed_or(std::uint64_t fallback) {
    const char* text = std::getenv("ANEL_SEED");
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

std::uint64_t RandomMessages::number(std::uint64_t most) {
    const auto bits = below(65);
    const auto value = bits == 64 ? random_() : random_() & ((std::uint64_t{1} << bits) - 1);
    return most == UINT64_MAX ? value : value % (most + 1);
}

std::string RandomMessages::text(std::size_t least, std::size_t most) {
    std::string made(least + below(most - least + 1), ' ');
    for (auto& letter : made) letter = static_cast<char>(below(256));
    return made;
}

/// Fills every field of a message, as far as it may be anything.
struct Filler {
    RandomMessages& random;

    void operator()(std::uint64_t& field) { field = random.number(); }
    void operator()(std::int64_t& field) { field = static_cast<std::int64_t>(random.number()); }
    void operator()(std::uint32_t& field) { field = static_cast<std::uint32_t>(1 + random.below(100)); }
    void operator()(Blob&) {}
    void operator()(bool& field) { field = random.below(2) == 0; }
    void operator()(std::string& field) { field = random.text(1, 64); }
    void operator()(SuspectReason& field) { field = static_cast<SuspectReason>(random.below(7)); }
    template <class Tag>
    void operator()(Strong<Tag>& field) {
        field.value = random.number();
    }
    void operator()(NodeId& field) { field.value = random.below(64); }
    void operator()(Incarnation& field) { field.value = random.number() | 1; }
    template <class Item>
    void operator()(std::optional<Item>& field) {
        if (random.below(4) != 0) (*this)(field.emplace());
    }
    template <class Item>
    void operator()(std::vector<Item>& field) {
        field.resize(random.below(5));
        for (auto& item : field) (*this)(item);
    }
    template <wire::HasShape Message>
    void operator()(Message& message) {
        wire::fields(*this, message);
        tidy(message);
    }
    /// Entries and chunks that fit each other, or entries and what was placed.
    void operator()(Bid& bid) {
        if (random.below(4) == 0) {
            bid.placed = PlacedBytes{0, random.number()};
            for (auto entries = 1 + random.below(4); entries > 0; --entries) {
                const auto length = static_cast<std::uint32_t>(1 + random.below(300));
                bid.entries.push_back({Round{random.number()}, length});
                bid.placed->bytes += length;
            }
            return;
        }
        for (auto chunks = random.below(6); chunks > 0; --chunks) {
            Bytes bytes;
            const bool large = random.below(10) == 0;
            for (auto entries = 1 + random.below(4); entries > 0; --entries) {
                const auto length = 1 + random.below(large ? 30'000 : 300);
                for (std::size_t index = 0; index < length; ++index) {
                    bytes.push_back(static_cast<std::byte>(random.random_()));
                }
                bid.entries.push_back({Round{random.number()}, static_cast<std::uint32_t>(length)});
            }
            bid.chunks.push_back(Blob::of(std::move(bytes)));
        }
    }

    template <class Message>
    void tidy(Message&) {}
    /// Entries that fill the frames.
    void tidy(Figures& figures) { figures.json = Blob::copy(random.text(0, 2000)); }
    void tidy(Wake& wake) {
        std::size_t bytes = 0;
        for (auto& entry : wake.entries) bytes += entry.bytes;
        wake.frames = Blob::of(Bytes(bytes, std::byte{7}));
    }
    /// Members in order, the coordinator one of them.
    void tidy(View& view) {
        view.members.clear();
        const auto wanted = random.random_() | (std::uint64_t{1} << view.coordinator.value);
        for (std::uint64_t id = 0; id < 64; ++id) {
            if ((wanted >> id & 1) == 0) continue;
            Member member;
            (*this)(member);
            member.id = NodeId{id};
            view.members.push_back(std::move(member));
        }
    }
    /// Each node bids once.
    void tidy(OpenRound& round) {
        for (std::uint64_t id = 0; id < round.bids.size(); ++id) round.bids[id].node = NodeId{id * 7};
    }
};

namespace {

/// The message of the variant's kind `index`, filled.
template <class Variant, std::size_t at = 0>
Variant filled(Filler& filler, std::size_t index) {
    if constexpr (at + 1 < std::variant_size_v<Variant>) {
        if (index != at) return filled<Variant, at + 1>(filler, index);
    }
    std::variant_alternative_t<at, Variant> message;
    filler(message);
    return message;
}

}  // namespace

ControlFrame RandomMessages::control() {
    Filler filler{*this};
    using Greeting = std::variant<Who, IAm, Taken, AskFigures, Figures>;
    if (below(8) == 0) {
        return std::visit([](const auto& greeting) -> ControlFrame { return greeting; },
                          filled<Greeting>(filler, below(std::variant_size_v<Greeting>)));
    }
    ControlEnvelope envelope;
    filler(envelope.from);
    filler(envelope.incarnation);
    envelope.message = filled<Control>(filler, below(std::variant_size_v<Control>));
    return envelope;
}

Token RandomMessages::token() {
    Filler filler{*this};
    Token token;
    filler(token);
    return token;
}

LinkMessage RandomMessages::link() {
    Filler filler{*this};
    return below(2) == 0 ? LinkMessage{token()} : filled<LinkMessage>(filler, below(std::variant_size_v<LinkMessage>));
}

Token token_with(std::vector<Bid> bids) {
    Token token{.epoch = Epoch{1}, .hop = Hop{2}, .open = OpenRound{}, .closed = {}};
    token.open->bids = std::move(bids);
    return token;
}

Bid merged(const Bid& bid) {
    if (bid.placed) return bid;
    Bid result{bid.node, bid.entries, {}};
    Bytes all;
    for (const auto& chunk : bid.chunks) all.insert(all.end(), chunk.bytes().begin(), chunk.bytes().end());
    result.chunks.push_back(Blob::of(std::move(all)));
    return result;
}

LinkMessage merged(LinkMessage message) {
    if (auto* token = std::get_if<Token>(&message); token != nullptr && token->open) {
        for (auto& bid : token->open->bids) bid = merged(bid);
    }
    return message;
}

}  // namespace anel::test

#include "ring/transport/resolver.hpp"

#include <system_error>
#include <thread>

#include "ring/transport/address.hpp"

namespace anel {
namespace {

constexpr Duration again_after = std::chrono::milliseconds{500};

}  // namespace

void Resolver::ask(NodeId node, const std::string& host, Instant now) {
    const auto [place, is_first] = asked_.try_emplace(node);
    auto& asked = place->second;
    if (asked.under_way || (!is_first && now - asked.last < again_after)) return;
    asked.last = now;
    if (is_numeric_host(host)) {
        answers_->put(Resolved{node, host});
        return;
    }
    try {
        std::thread{[answers = answers_, node, host] {
            answers->put(Resolved{node, resolve_host(host).value_or(std::string{})});
        }}.detach();
        asked.under_way = true;
    } catch (const std::system_error&) {
        // No thread to be had now; the next failure asks again.
    }
}

std::vector<Resolved> Resolver::take() {
    auto answers = answers_->take();
    for (const auto& answer : answers) asked_[answer.node].under_way = false;
    return answers;
}

}  // namespace anel

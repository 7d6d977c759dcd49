#include "ring/daemon/ring_watch.hpp"

#include "ring/daemon/clock.hpp"
#include "ring/daemon/ring_picture.hpp"

namespace anel {
namespace {

constexpr std::chrono::milliseconds interval{500};
/// A node that lives answers in a fraction of it; one that does not is shown as silent, and the page goes on.
constexpr std::chrono::milliseconds answer_patience{250};
constexpr std::size_t lines_shown = 15;
/// Before the first picture: connections are made meanwhile.
constexpr int first_tries = 4;
constexpr std::chrono::milliseconds first_interval{50};

}  // namespace

void RingWatch::run() {
    const auto& settings = parts_.settings;
    RingPicture picture{settings.node.self, settings.node.nodes};
    const auto output = settings.data + "/output.txt";
    while (parts_.feed.wait_for_viewer()) {
        picture.forget_rates();
        FiguresAsker asker{parts_.context, settings.peers, settings.node.self, parts_.ipv6};
        std::size_t others = 0;
        for (int tries = 0; tries < first_tries && others + 1 < settings.node.nodes.size(); ++tries) {
            others = asker.ask(steady_now(), first_interval).size();
            if (!parts_.feed.wait_for_turn(first_interval)) break;
        }
        do {
            auto documents = asker.ask(steady_now(), answer_patience);
            if (auto own = parts_.own_figures(); !own.empty()) documents[settings.node.self] = std::move(own);
            auto drawn = picture.draw(documents, read_output_tail(output, lines_shown), moment_now());
            parts_.feed.publish(drawn.picture, std::move(drawn.point));
        } while (parts_.feed.wait_for_turn(interval));
    }
}

}  // namespace anel

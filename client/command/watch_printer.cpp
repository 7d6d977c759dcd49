#include "client/command/watch_printer.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "client/command/print_json.hpp"

namespace anel::command {

bool Printer::feed(std::string_view bytes) {
    cutter_.feed(bytes, [this](std::string_view line) {
        if (!done_) show(line);
    });
    std::fflush(stdout);
    return !done_;
}

void Printer::show(std::string_view line) {
    const auto shown = reader_.line(line);
    const auto* message = shown ? std::get_if<ShownMessage>(&*shown) : nullptr;
    // The lines of jsonl do not say that a round is over, only that the next one has begun.
    if (reader_.began_round() && message_in_round_) end_round();
    if (done_) return;
    if (!options_.json) fmt::print("{}\n", line);
    if (message != nullptr) show_message(*message);
    else if (shown && std::holds_alternative<RoundEnded>(*shown)) end_round();
}

void Printer::show_message(const ShownMessage& message) {
    message_in_round_ = true;
    if (options_.json && !message.json_line.empty()) {
        fmt::print("{}\n", message.json_line);
    } else if (options_.json) {
        const nlohmann::json object{{"container", message.container}, {"message", message.text}};
        print_json_line(object);
    }
    if (++messages_ == options_.count) done_ = true;
}

void Printer::end_round() {
    message_in_round_ = false;
    if (++rounds_ == options_.until_rounds) done_ = true;
}

}  // namespace anel::command

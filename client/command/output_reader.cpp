#include "client/command/output_reader.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace anel::command {
namespace {

constexpr std::string_view container_word = "Container ";
constexpr std::string_view message_word = "Mensagem: ";

std::optional<std::uint64_t> number_before_blank(std::string_view text) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc{} || read.ptr + 1 != end || *read.ptr != ' ') return std::nullopt;
    return number;
}

}  // namespace

std::optional<Shown> OutputReader::line(std::string_view text) {
    began_round_ = false;
    if (text.starts_with('{')) {
        const auto json = nlohmann::json::parse(text, nullptr, false);
        if (!json.is_object()) return OtherLine{};
        const auto round = json.value("round", std::uint64_t{0});
        began_round_ = round_ != round;
        round_ = round;
        return ShownMessage{json.value("container", std::uint64_t{0}), json.value("message", std::string{}),
                            std::string{text}};
    }
    if (text == round_separator) {
        container_.reset();
        return RoundEnded{};
    }
    if (container_ && text.starts_with(message_word)) {
        ShownMessage message{*container_, std::string{text.substr(message_word.size())}, {}};
        container_.reset();
        return message;
    }
    if (text.starts_with(container_word)) {
        container_ = number_before_blank(text.substr(container_word.size()));
        if (container_) return std::nullopt;
    }
    return OtherLine{};
}

}  // namespace anel::command

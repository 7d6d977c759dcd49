// What `anel watch` shows of the output, wherever it comes from.
#pragma once

#include <cstdint>
#include <string_view>

#include "client/command/output_reader.hpp"

namespace anel::command {

struct PrintOptions {
    bool json = false;
    std::uint64_t until_rounds = 0;  ///< 0: without end
    std::uint64_t count = 0;         ///< of messages; 0: without end
};

/// Prints lines as they are, or a JSON object a message, until what was asked for has been shown.
class Printer {
public:
    explicit Printer(const PrintOptions& options) : options_{options} {}

    [[nodiscard]] bool done() const { return done_; }
    void restart() {
        cutter_.clear();
        reader_ = {};
    }
    /// @return false when enough was shown.
    bool feed(std::string_view bytes);

private:
    void show(std::string_view line);
    void show_message(const ShownMessage& message);
    void end_round();

    PrintOptions options_;
    LineCutter cutter_;
    OutputReader reader_;
    std::uint64_t rounds_ = 0;
    std::uint64_t messages_ = 0;
    bool message_in_round_ = false;
    bool done_ = false;
};

}  // namespace anel::command

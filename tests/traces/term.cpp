#include "tests/traces/term.hpp"

#include <fmt/format.h>

#include <charconv>

namespace anel::traces {

namespace {

bool is_bare(char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           std::string_view{"_.:/+-#"}.find(letter) != std::string_view::npos;
}

template <class Integer>
Integer parse_integer(std::string_view text) {
    Integer value{};
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
        throw BadTrace{fmt::format("'{}' is not a number", text)};
    }
    return value;
}

}  // namespace

Term Term::list(std::vector<Term> items) {
    Term made;
    made.is_list_ = true;
    made.items_ = std::move(items);
    return made;
}

Term Term::quoted(std::string_view text) {
    Term made{std::string{text}};
    made.quote_ = true;
    return made;
}

Term& Term::operator()(std::string_view key, Term value) {
    fields_.emplace_back(std::string{key}, std::move(value));
    return *this;
}

const Term* Term::find(std::string_view key) const {
    for (const auto& [name, value] : fields_) {
        if (name == key) return &value;
    }
    return nullptr;
}

const Term& Term::at(std::string_view key) const {
    if (const auto* found = find(key)) return *found;
    throw BadTrace{fmt::format("'{}' is missing in '{}'", key, print())};
}

std::uint64_t Term::number(std::string_view key) const {
    const auto* found = find(key);
    return found ? found->as_number() : 0;
}

std::uint64_t Term::as_number() const { return parse_integer<std::uint64_t>(head_); }

std::int64_t Term::integer(std::string_view key) const {
    const auto* found = find(key);
    return found ? parse_integer<std::int64_t>(found->head_) : 0;
}

std::string Term::text(std::string_view key) const {
    const auto* found = find(key);
    return found ? found->head_ : std::string{};
}

const std::vector<Term>& Term::items(std::string_view key) const {
    static const std::vector<Term> none;
    const auto* found = find(key);
    return found ? found->items_ : none;
}

std::string Term::print() const {
    if (is_list_) {
        std::string text = "[";
        for (const auto& item : items_) text += (text.size() > 1 ? ", " : "") + item.print_as_value();
        return text + "]";
    }
    std::string text;
    if (quote_) {
        text = "\"";
        for (const char letter : head_) {
            const auto byte = static_cast<unsigned char>(letter);
            if (letter == '"' || letter == '\\') text += fmt::format("\\{}", letter);
            else if (byte < 0x20 || byte >= 0x7f) text += fmt::format("\\x{:02x}", byte);
            else text += letter;
        }
        text += '"';
    } else {
        text = head_;
    }
    for (const auto& [key, value] : fields_) text += (text.empty() ? "" : " ") + key + "=" + value.print_as_value();
    return text;
}

std::string Term::print_as_value() const {
    if (is_list_ || fields_.empty()) return print();
    return "{" + print() + "}";
}

class Term::Parser {
public:
    explicit Parser(std::string_view text) : rest_{text} {}

    Term term() {
        Term made;
        blanks();
        if (!rest_.empty() && rest_.front() == '"') {
            made = quoted_text();
        } else {
            const auto word = bare();
            if (!rest_.empty() && rest_.front() == '=') made(word, (rest_.remove_prefix(1), value()));
            else made.head_ = word;
        }
        for (blanks(); !rest_.empty() && rest_.front() != '}'; blanks()) {
            const auto key = bare();
            if (key.empty() || rest_.empty() || rest_.front() != '=') bad("key=value");
            rest_.remove_prefix(1);
            made(key, value());
        }
        return made;
    }
    void end() {
        if (!rest_.empty()) bad("the end");
    }

private:
    [[noreturn]] void bad(std::string_view wanted) const {
        throw BadTrace{fmt::format("{} is wanted at '{}'", wanted, rest_)};
    }
    void blanks() {
        while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    }
    std::string bare() {
        std::size_t length = 0;
        while (length < rest_.size() && is_bare(rest_[length])) ++length;
        std::string word{rest_.substr(0, length)};
        rest_.remove_prefix(length);
        return word;
    }
    Term quoted_text() {
        rest_.remove_prefix(1);
        std::string text;
        while (!rest_.empty() && rest_.front() != '"') {
            if (rest_.front() != '\\') {
                text += rest_.front();
                rest_.remove_prefix(1);
            } else if (rest_.size() >= 4 && rest_[1] == 'x') {
                unsigned byte = 0;
                std::from_chars(rest_.data() + 2, rest_.data() + 4, byte, 16);
                text += static_cast<char>(byte);
                rest_.remove_prefix(4);
            } else if (rest_.size() >= 2) {
                text += rest_[1];
                rest_.remove_prefix(2);
            } else {
                bad("an escape");
            }
        }
        if (rest_.empty()) bad("a closing quote");
        rest_.remove_prefix(1);
        return quoted(text);
    }
    Term value() {
        if (rest_.empty()) bad("a value");
        if (rest_.front() == '"') return quoted_text();
        if (rest_.front() == '{') {
            rest_.remove_prefix(1);
            auto made = term();
            if (rest_.empty()) bad("}");
            rest_.remove_prefix(1);
            return made;
        }
        if (rest_.front() != '[') return Term{bare()};
        rest_.remove_prefix(1);
        std::vector<Term> items;
        for (blanks(); !rest_.empty() && rest_.front() != ']'; blanks()) {
            items.push_back(value());
            blanks();
            if (!rest_.empty() && rest_.front() == ',') rest_.remove_prefix(1);
            else if (rest_.empty() || rest_.front() != ']') bad(", or ]");
        }
        if (rest_.empty()) bad("]");
        rest_.remove_prefix(1);
        return list(std::move(items));
    }

    std::string_view rest_;
};

Term Term::parse(std::string_view text) {
    Parser parser{text};
    auto made = parser.term();
    parser.end();
    return made;
}

}  // namespace anel::traces

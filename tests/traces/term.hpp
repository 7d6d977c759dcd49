// The small language of traces: `head key=value key={head key=value} key=[value, value]`, printed and parsed alike.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/strong.hpp"

namespace anel::traces {

/// A trace that cannot be read.
struct BadTrace : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A word with named values. An atom has a head alone; a list has items alone.
class Term {
public:
    Term() = default;
    explicit Term(std::string head) : head_{std::move(head)} {}
    [[nodiscard]] static Term list(std::vector<Term> items);
    [[nodiscard]] static Term quoted(std::string_view text);
    [[nodiscard]] static Term parse(std::string_view text);

    // --- building: term("epoch", 4)("members", {...}) ---------------------------------------------
    Term& operator()(std::string_view key, Term value);
    Term& operator()(std::string_view key, std::uint64_t value) { return (*this)(key, Term{std::to_string(value)}); }
    Term& operator()(std::string_view key, std::int64_t value) { return (*this)(key, Term{std::to_string(value)}); }
    Term& operator()(std::string_view key, std::string_view value) { return (*this)(key, quoted(value)); }
    template <class Tag>
    Term& operator()(std::string_view key, Strong<Tag> value) {
        return (*this)(key, value.value);
    }
    /// A word that is there or not.
    Term& flag(std::string_view key, bool is) { return is ? (*this)(key, std::uint64_t{1}) : *this; }

    // --- reading: what is missing is 0, empty, or no item ------------------------------------------
    [[nodiscard]] const std::string& head() const { return head_; }
    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
    [[nodiscard]] std::uint64_t number(std::string_view key) const;
    [[nodiscard]] std::int64_t integer(std::string_view key) const;
    [[nodiscard]] std::string text(std::string_view key) const;
    [[nodiscard]] const Term& at(std::string_view key) const;
    [[nodiscard]] const std::vector<Term>& items(std::string_view key) const;
    [[nodiscard]] std::uint64_t as_number() const;

    [[nodiscard]] std::string print() const;

private:
    class Parser;
    [[nodiscard]] const Term* find(std::string_view key) const;
    [[nodiscard]] std::string print_as_value() const;

    std::string head_;
    bool quote_ = false;
    bool is_list_ = false;
    std::vector<std::pair<std::string, Term>> fields_;
    std::vector<Term> items_;
};

}  // namespace anel::traces

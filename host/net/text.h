/// Small words of HTTP's grammar (RFC 9110 section 5.6).
#pragma once

#include <algorithm>
#include <string_view>

namespace calhost::net {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Equal without ASCII case.
constexpr bool is_same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

/// Without spaces and tabs at both ends.
constexpr std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The part before `mark`, which leaves `text` together with the mark.
constexpr std::string_view take_until(std::string_view& text, char mark) {
    const auto end = std::min(text.find(mark), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

/// A token, such as a method or a field name.
constexpr bool is_token(std::string_view text) {
    constexpr auto is_token_char = [](char c) {
        return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
               std::string_view("!#$%&'*+-.^_`|~").contains(c);
    };
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

/// True for a byte below space or DEL; a tab counts.
constexpr bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

/// A field value that cannot start another line.
constexpr bool is_field_value(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return is_control(c) && c != '\t'; });
}

}  // namespace calhost::net

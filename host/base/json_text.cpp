#include "base/json_text.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>

namespace calhost::json {
namespace {

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

/// How many bytes at the front need no escape. Eight at a time: most texts have nothing to escape.
/// The sum of the three tests has a high bit set if any byte is below 0x20, a quote or a backslash.
std::size_t plain_length(std::string_view text) {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kHighBits = kOnes * 0x80;
    const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word; };
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, 8);
        const std::uint64_t found = ((word - kOnes * 0x20) & ~word) |
                                    has_zero(word ^ (kOnes * '"')) |
                                    has_zero(word ^ (kOnes * '\\'));
        if ((found & kHighBits) != 0) break;
    }
    while (at < text.size() && !needs_escape(text[at])) ++at;
    return at;
}

void append_escape(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<int>(c));
    }
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
    out += '"';
    for (;;) {
        const std::size_t plain = plain_length(text);
        out.append(text, 0, plain);
        if (plain == text.size()) break;
        append_escape(out, text[plain]);
        text.remove_prefix(plain + 1);
    }
    out += '"';
}

void TextWriter::name(std::string_view name) {
    separate();
    out_ += '"';
    out_.append(name);
    out_.append("\":", 2);
}

void TextWriter::integer(std::int64_t number) {
    const fmt::format_int digits(number);
    raw({digits.data(), digits.size()});
}

}  // namespace calhost::json

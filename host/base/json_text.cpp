#include "base/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace calhost::json {
namespace {

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

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
        const auto plain =
            static_cast<std::size_t>(std::ranges::find_if(text, needs_escape) - text.begin());
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
    out_ += name;
    out_ += "\":";
}

void TextWriter::integer(std::int64_t number) {
    const fmt::format_int digits(number);
    raw({digits.data(), digits.size()});
}

}  // namespace calhost::json

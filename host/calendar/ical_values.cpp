#include "calendar/ical_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "calendar/zone.h"

namespace calhost::calendar {

using namespace std::chrono;

std::optional<Basic> parse_basic(std::string_view text) {
    Basic basic;
    basic.is_utc = text.ends_with('Z');
    if (basic.is_utc) text.remove_suffix(1);
    basic.is_date = text.size() == 8;
    if (text.size() != 8 && (text.size() != 15 || text[8] != 'T')) return std::nullopt;
    auto time = basic.is_date ? std::string("00:00:00")
                              : fmt::format("{}:{}:{}", text.substr(9, 2), text.substr(11, 2),
                                            text.substr(13, 2));
    if (time.ends_with(":60")) time.replace(6, 2, "59");  // a leap second
    const auto local = parse_local(
        fmt::format("{}-{}-{}T{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2), time));
    if (!local) return std::nullopt;
    basic.local = *local;
    return basic;
}

std::optional<seconds> parse_duration(std::string_view text) {
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) text.remove_prefix(1);
    if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
    std::int64_t total = 0;
    std::int64_t number = 0;
    for (const char c : text.substr(1)) {
        if (c >= '0' && c <= '9') {
            number = std::min<std::int64_t>(number * 10 + (c - '0'), 1'000'000'000);
            continue;
        }
        const int unit = c == 'W'   ? 604800
                         : c == 'D' ? 86400
                         : c == 'H' ? 3600
                         : c == 'M' ? 60
                         : c == 'S' ? 1
                         : c == 'T' ? 0
                                    : -1;
        if (unit < 0) return std::nullopt;
        total += number * unit;
        number = 0;
    }
    return seconds(is_negative ? -total : total);
}

namespace {

constexpr std::string_view kMarkPrefix = "calhost_";
constexpr std::string_view kPropertyPrefix = "X-CALHOST-";
/// Properties of ours that are no marks.
constexpr std::string_view kNoMarks[] = {"X-CALHOST-EVENT", "X-CALHOST-ALARM"};

/// Each character that has a counterpart in the other form; nothing when one has none.
std::string in_other_form(std::string_view text, char first, char separator, char to_first,
                          char to_separator) {
    std::string out;
    for (const char c : text) {
        if (c >= first && c <= first + 25)
            out += static_cast<char>(c - first + to_first);
        else if (c >= '0' && c <= '9')
            out += c;
        else if (c == separator)
            out += to_separator;
        else
            return {};
    }
    return out;
}

}  // namespace

std::string property_of_mark(std::string_view mark) {
    if (!mark.starts_with(kMarkPrefix)) return {};
    const auto name = in_other_form(mark.substr(kMarkPrefix.size()), 'a', '_', 'A', '-');
    if (name.empty()) return {};
    auto property = std::string(kPropertyPrefix) + name;
    return std::ranges::find(kNoMarks, property) == std::end(kNoMarks) ? property : std::string();
}

std::string mark_of_property(std::string_view property) {
    if (!property.starts_with(kPropertyPrefix)) return {};
    if (std::ranges::find(kNoMarks, property) != std::end(kNoMarks)) return {};
    const auto name = in_other_form(property.substr(kPropertyPrefix.size()), 'A', '-', 'a', '_');
    return name.empty() ? name : std::string(kMarkPrefix) + name;
}

}  // namespace calhost::calendar

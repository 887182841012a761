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

}  // namespace calhost::calendar

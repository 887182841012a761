/// Values of iCalendar properties as text. The room's own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace calhost::calendar {

/// A DATE or DATE-TIME value as written. RFC 5545 sections 3.3.4 and 3.3.5.
struct Basic {
    std::chrono::local_seconds local{};
    bool is_date = false;
    bool is_utc = false;
};

/// "20261120", "20261120T090000" or "20261120T090000Z"; a leap second counts as the one before it.
std::optional<Basic> parse_basic(std::string_view text);

/// "PT15M", "-P1D". RFC 5545 section 3.3.6, with its days and weeks counted as 24 hours each.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// The property that holds a mark, "X-CALHOST-KEY" for "calhost_key"; empty for a mark whose name
/// has no such form.
std::string property_of_mark(std::string_view mark);
/// And back; empty for any other property.
std::string mark_of_property(std::string_view property);

}  // namespace calhost::calendar

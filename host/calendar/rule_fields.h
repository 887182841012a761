/// A recurrence rule in its parts, for services that say it in other words than RFC 5545 does.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/event.h"

namespace calhost::calendar {

/// One of BYDAY: every such weekday, or the nth of the period, counted from its end when negative.
struct RuleDay {
    std::string day;  ///< "monday"
    int nth = 0;      ///< 0: each
    friend bool operator==(const RuleDay&, const RuleDay&) = default;
};

/// The names of RuleFields::numbers, in the order in which rules are written.
inline constexpr std::string_view kNumberFields[] = {
    "by_month", "by_week_no", "by_year_day", "by_month_day",
    "by_hour",  "by_minute",  "by_second",   "by_set_pos",
};

/// Words are in lower case: "weekly", "monday".
struct RuleFields {
    std::string freq;
    int interval = 1;
    std::int64_t count = 0;         ///< 0: none
    std::optional<EventTime> last;  ///< UNTIL: the latest start that an occurrence may have
    std::vector<RuleDay> by_day;
    std::map<std::string, std::vector<int>, std::less<>> numbers;  ///< "by_month_day": {15}
    std::string week_start = "monday";
    bool has_start = true;  ///< the rule's own pattern gives the start of its series
};

/// Takes a rule of a series that begins at `start` apart. What the rule leaves to the start (RFC
/// 5545 section 3.3.10) is filled in: the weekday of a weekly rule, the day of a monthly one, month
/// and day of a yearly one. *Errors*: invalid.
Result<RuleFields> parse_rule_fields(std::string_view rrule, const EventTime& start);

/// The rule's text: weekdays in the order of the week, what says nothing left out. `has_start` does
/// not count. *Errors*: invalid, for a word that is not known.
Result<std::string> format_rule_fields(const RuleFields& fields);

}  // namespace calhost::calendar

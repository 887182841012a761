#include "sandbox/graph_recurrence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/json.h"
#include "calendar/recurrence.h"
#include "calendar/recurrence_lines.h"
#include "calendar/zone.h"
#include "sandbox/graph_times.h"

namespace calhost::sandbox::graph {
namespace {

using calendar::EventTime;

struct Day {
    std::string_view name;
    std::string_view code;
};
constexpr auto kDays = std::to_array<Day>({{"sunday", "SU"},
                                           {"monday", "MO"},
                                           {"tuesday", "TU"},
                                           {"wednesday", "WE"},
                                           {"thursday", "TH"},
                                           {"friday", "FR"},
                                           {"saturday", "SA"}});
constexpr auto kTypes = std::to_array<std::string_view>(
    {"daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"});
constexpr auto kIndices =
    std::to_array<std::string_view>({"first", "second", "third", "fourth", "last"});

std::unexpected<ApiError> bad(std::string_view why) { return refuse_property("Recurrence", why); }

int number_of(const json::value& object, std::string_view name) {
    const auto* value = json::find(object, name);
    return value != nullptr && value->is_int64() ? static_cast<int>(value->as_int64()) : 0;
}

std::string_view code_of(std::string_view day) {
    const auto found = std::ranges::find(kDays, day, &Day::name);
    return found == kDays.end() ? std::string_view() : found->code;
}

calendar::Date date_of(const EventTime& start) {
    if (start.is_date) return start.date;
    return calendar::Date(std::chrono::floor<std::chrono::days>(start.local));
}

/// What a pattern says, checked.
struct Pattern {
    std::string type;
    int interval = 0;
    int day = 0;
    int month = 0;
    std::vector<std::string> days;  ///< RFC 5545 codes
    int position = 1;               ///< -1: last
    std::string week_start = "SU";

    [[nodiscard]] bool is(std::string_view name) const { return type == name; }
};

Answer<Pattern> read(const json::value& sent) {
    Pattern pattern;
    pattern.type = json::text_of(sent, "type");
    pattern.interval = number_of(sent, "interval");
    pattern.day = number_of(sent, "dayOfMonth");
    pattern.month = number_of(sent, "month");
    if (std::ranges::find(kTypes, pattern.type) == kTypes.end()) return bad("unknown pattern type");
    if (pattern.interval < 1 || pattern.interval > 999) return bad("interval is from 1 to 999");
    if (pattern.day < 0 || pattern.day > 31) return bad("dayOfMonth is from 1 to 31");
    if (pattern.month < 0 || pattern.month > 12) return bad("month is from 1 to 12");
    if (const auto* days = json::find(sent, "daysOfWeek")) {
        if (!days->is_array()) return bad("daysOfWeek is a list");
        for (const auto& day : days->as_array()) {
            const auto code = day.is_string() ? code_of(day.as_string()) : std::string_view();
            if (code.empty()) return bad("unknown day of the week");
            pattern.days.emplace_back(code);
        }
    }
    if (const auto first = json::text_of(sent, "firstDayOfWeek"); !first.empty()) {
        pattern.week_start = code_of(first);
        if (pattern.week_start.empty()) return bad("unknown firstDayOfWeek");
    }
    if (const auto index = json::text_of(sent, "index"); !index.empty()) {
        const auto found = std::ranges::find(kIndices, index);
        if (found == kIndices.end()) return bad("unknown index");
        pattern.position = index == "last" ? -1 : static_cast<int>(found - kIndices.begin()) + 1;
    }
    const bool is_relative = pattern.type.starts_with("relative");
    if ((is_relative || pattern.is("weekly")) && pattern.days.empty())
        return bad("daysOfWeek is missing");
    if (pattern.type.starts_with("absolute") && pattern.day == 0)
        return bad("dayOfMonth is missing");
    if (pattern.type.ends_with("Yearly") && pattern.month == 0) return bad("month is missing");
    return pattern;
}

std::string join(const std::vector<std::string>& days) {
    return fmt::format("{}", fmt::join(days, ","));
}

/// Months that are too short have it on their last day, as Outlook does; RFC 5545 alone would leave
/// them out.
std::string month_day(int day) {
    if (day <= 28) return fmt::format("BYMONTHDAY={}", day);
    std::string list = "28";
    for (int i = 29; i <= day; ++i) list += fmt::format(",{}", i);
    return "BYMONTHDAY=" + list + ";BYSETPOS=-1";
}

std::string rule_of(const Pattern& pattern) {
    const auto interval =
        pattern.interval == 1 ? std::string() : fmt::format(";INTERVAL={}", pattern.interval);
    const auto relative = [&] {
        return fmt::format("BYDAY={};BYSETPOS={}", join(pattern.days), pattern.position);
    };
    if (pattern.is("daily")) return "FREQ=DAILY" + interval;
    if (pattern.is("weekly"))
        return fmt::format("FREQ=WEEKLY{};BYDAY={};WKST={}", interval, join(pattern.days),
                           pattern.week_start);
    if (pattern.is("absoluteMonthly"))
        return fmt::format("FREQ=MONTHLY{};{}", interval, month_day(pattern.day));
    if (pattern.is("relativeMonthly"))
        return fmt::format("FREQ=MONTHLY{};{}", interval, relative());
    const auto yearly = fmt::format("FREQ=YEARLY{};BYMONTH={};", interval, pattern.month);
    return yearly + (pattern.is("absoluteYearly") ? month_day(pattern.day) : relative());
}

/// True if the pattern has an occurrence on the day; an expander takes any start for one.
bool hits(const Pattern& pattern, calendar::Date date) {
    const std::chrono::sys_days day(date);
    const auto code = kDays[std::chrono::weekday(day).c_encoding()].code;
    const auto is_in = [&](std::string_view wanted) {
        return std::ranges::find(pattern.days, wanted) != pattern.days.end();
    };
    if (pattern.is("daily")) return true;
    if (pattern.is("weekly")) return is_in(code);
    const auto month = static_cast<int>(static_cast<unsigned>(date.month()));
    if (pattern.type.ends_with("Yearly") && month != pattern.month) return false;
    const std::chrono::sys_days first(date.year() / date.month() / 1);
    const std::chrono::sys_days last(date.year() / date.month() / std::chrono::last);
    if (pattern.type.starts_with("absolute")) {
        const auto length = static_cast<int>((last - first).count()) + 1;
        return (day - first).count() + 1 == std::min(pattern.day, length);
    }
    if (!is_in(code)) return false;
    int before = 0;
    int after = 0;
    for (auto other = first; other <= last; other += std::chrono::days{1}) {
        if (!is_in(kDays[std::chrono::weekday(other).c_encoding()].code)) continue;
        if (other < day) ++before;
        if (other > day) ++after;
    }
    return pattern.position == -1 ? after == 0 : before + 1 == pattern.position;
}

Answer<std::string> read_range(const json::value& range, const EventTime& start) {
    const auto type = json::text_of(range, "type");
    const auto first = calendar::parse_date(json::text_of(range, "startDate"));
    if (!first) return bad("range.startDate is missing");
    if (*first != date_of(start)) return bad("range.startDate is not the date of start");
    if (const auto zone = json::text_of(range, "recurrenceTimeZone");
        !zone.empty() && zone_of(zone).empty())
        return refuse(400, "TimeZoneNotSupportedException",
                      fmt::format("The recurrenceTimeZone '{}' is not supported.", zone));
    if (type == "noEnd") return std::string();
    if (type == "numbered") {
        const int count = number_of(range, "numberOfOccurrences");
        if (count < 1 || count > 999) return bad("numberOfOccurrences is from 1 to 999");
        return fmt::format(";COUNT={}", count);
    }
    if (type != "endDate") return bad("unknown range type");
    const auto last = calendar::parse_date(json::text_of(range, "endDate"));
    if (!last || std::chrono::sys_days(*last) < std::chrono::sys_days(*first))
        return bad("range.endDate is missing or before startDate");
    if (start.is_date) return ";UNTIL=" + calendar::format_basic_time(calendar::make_date(*last));
    const auto evening = std::chrono::local_seconds(std::chrono::local_days(*last)) +
                         std::chrono::hours{24} - std::chrono::seconds{1};
    const auto until = calendar::make_local(evening, start.zone);
    if (!until) return bad("range.endDate cannot be placed");
    return ";UNTIL=" + calendar::format_basic_time(*until);
}

}  // namespace

Answer<std::string> read_pattern(const json::value& recurrence, const EventTime& start) {
    const auto* sent = json::find(recurrence, "pattern");
    const auto* range = json::find(recurrence, "range");
    if (sent == nullptr || range == nullptr) return bad("pattern and range are needed");
    const auto pattern = read(*sent);
    if (!pattern) return refuse(pattern.error());
    const auto end = read_range(*range, start);
    if (!end) return refuse(end.error());
    if (!hits(*pattern, date_of(start)))
        return bad("the sandbox wants a start that the pattern has an occurrence on");
    auto rule = rule_of(*pattern) + *end;
    if (const auto checked = calendar::check_rrule(rule); !checked)
        return bad(checked.error().message);
    return rule;
}

json::object write_pattern(const json::value& recurrence, const std::string& zone_name) {
    json::object pattern{{"type", ""},
                         {"interval", 1},
                         {"month", 0},
                         {"dayOfMonth", 0},
                         {"firstDayOfWeek", "sunday"},
                         {"index", "first"}};
    json::object range{{"type", ""},
                       {"startDate", ""},
                       {"endDate", "0001-01-01"},
                       {"recurrenceTimeZone", zone_name},
                       {"numberOfOccurrences", 0}};
    for (const auto& [name, value] : recurrence.at("pattern").as_object()) pattern[name] = value;
    for (const auto& [name, value] : recurrence.at("range").as_object())
        if (!(value.is_string() && value.as_string().empty())) range[name] = value;
    return {{"pattern", std::move(pattern)}, {"range", std::move(range)}};
}

}  // namespace calhost::sandbox::graph

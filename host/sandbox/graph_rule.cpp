// Rules as patterns, for what comes from iCalendar files.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/json.h"
#include "calendar/recurrence_lines.h"
#include "calendar/zone.h"
#include "sandbox/graph_recurrence.h"

namespace calhost::sandbox::graph {
namespace {

using Words = std::map<std::string, std::string, std::less<>>;

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kDays{{{"SU", "sunday"},
                                                                              {"MO", "monday"},
                                                                              {"TU", "tuesday"},
                                                                              {"WE", "wednesday"},
                                                                              {"TH", "thursday"},
                                                                              {"FR", "friday"},
                                                                              {"SA", "saturday"}}};

std::vector<std::string> split(std::string_view text, char mark) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const auto end = text.find(mark);
        parts.emplace_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return parts;
}

Words words_of(std::string_view rrule) {
    Words words;
    for (const auto& part : split(rrule, ';'))
        if (const auto mark = part.find('='); mark != std::string::npos)
            words[part.substr(0, mark)] = part.substr(mark + 1);
    return words;
}

std::string take(Words& words, std::string_view name) {
    const auto found = words.find(name);
    if (found == words.end()) return {};
    auto value = std::move(found->second);
    words.erase(found);
    return value;
}

std::string_view day_name(std::string_view code) {
    const auto found =
        std::ranges::find(kDays, code, &std::pair<std::string_view, std::string_view>::first);
    return found == kDays.end() ? std::string_view() : found->second;
}

std::string_view index_name(int position) {
    constexpr std::array<std::string_view, 5> kNames{"", "first", "second", "third", "fourth"};
    if (position == -1) return "last";
    return position >= 1 && position <= 4 ? kNames[static_cast<std::size_t>(position)]
                                          : std::string_view();
}

/// "2TU" or, with a BYSETPOS, "TU,WE".
bool put_days(json::object& pattern, std::string_view list, std::string_view set_position) {
    json::array days;
    int position = set_position.empty() ? 1 : std::atoi(std::string(set_position).c_str());
    for (const auto& item : split(list, ',')) {
        if (item.size() < 2) return false;
        const auto name = day_name(std::string_view(item).substr(item.size() - 2));
        if (name.empty()) return false;
        if (item.size() > 2) {
            if (list.find(',') != std::string_view::npos || !set_position.empty()) return false;
            position = std::atoi(item.substr(0, item.size() - 2).c_str());
        }
        days.emplace_back(name);
    }
    const auto index = index_name(position);
    if (index.empty()) return false;
    pattern["daysOfWeek"] = std::move(days);
    pattern["index"] = index;
    return true;
}

bool put_rule(json::object& pattern, Words& words, calendar::Date date) {
    const auto frequency = take(words, "FREQ");
    const auto by_day = take(words, "BYDAY");
    const auto position = take(words, "BYSETPOS");
    const auto month_day = take(words, "BYMONTHDAY");
    const auto month = take(words, "BYMONTH");
    const auto day = static_cast<int>(static_cast<unsigned>(date.day()));
    if (frequency == "DAILY" || frequency == "WEEKLY") {
        if (!position.empty() || !month_day.empty() || !month.empty()) return false;
        const bool is_daily = frequency == "DAILY" && by_day.empty();
        pattern["type"] = is_daily ? "daily" : "weekly";
        if (is_daily) return true;
        const auto weekday = std::chrono::weekday(std::chrono::sys_days(date)).c_encoding();
        const bool is_plain =
            put_days(pattern, by_day.empty() ? kDays[weekday].first : std::string_view(by_day), {});
        pattern.erase("index");
        return is_plain;
    }
    if (frequency != "MONTHLY" && frequency != "YEARLY") return false;
    const bool is_yearly = frequency == "YEARLY";
    if (!is_yearly && !month.empty()) return false;
    if (is_yearly) {
        const auto own = static_cast<int>(static_cast<unsigned>(date.month()));
        pattern["month"] = month.empty() ? own : std::atoi(month.c_str());
    }
    if (!by_day.empty()) {
        pattern["type"] = is_yearly ? "relativeYearly" : "relativeMonthly";
        return month_day.empty() && put_days(pattern, by_day, position);
    }
    const int number = month_day.empty() ? day : std::atoi(month_day.c_str());
    pattern["type"] = is_yearly ? "absoluteYearly" : "absoluteMonthly";
    pattern["dayOfMonth"] = number;
    return number >= 1 && number <= 31 && month_day.find(',') == std::string::npos &&
           position.empty();
}

bool put_range(json::object& range, Words& words, const calendar::EventTime& start) {
    const auto count = take(words, "COUNT");
    const auto until = take(words, "UNTIL");
    if (!count.empty()) {
        range["type"] = "numbered";
        range["numberOfOccurrences"] = std::atoi(count.c_str());
    } else if (!until.empty()) {
        const auto end = calendar::parse_basic_time(until, start.zone);
        if (!end) return false;
        auto date = end->date;
        if (!end->is_date)
            if (const auto local = calendar::to_local(end->instant, start.zone))
                date = calendar::Date(std::chrono::floor<std::chrono::days>(*local));
        range["type"] = "endDate";
        range["endDate"] = calendar::format_date(date);
    } else {
        range["type"] = "noEnd";
    }
    return true;
}

}  // namespace

std::optional<json::object> pattern_of(std::string_view rrule, const calendar::EventTime& start) {
    auto words = words_of(rrule);
    const auto date = start.is_date
                          ? start.date
                          : calendar::Date(std::chrono::floor<std::chrono::days>(start.local));
    json::object pattern;
    json::object range{{"startDate", calendar::format_date(date)}};
    if (!put_range(range, words, start)) return std::nullopt;
    const auto interval = take(words, "INTERVAL");
    pattern["interval"] = interval.empty() ? 1 : std::atoi(interval.c_str());
    const auto week_start = take(words, "WKST");
    pattern["firstDayOfWeek"] = week_start.empty() ? "monday" : day_name(week_start);
    if (!put_rule(pattern, words, date) || !words.empty()) return std::nullopt;
    return json::object{{"pattern", std::move(pattern)}, {"range", std::move(range)}};
}

}  // namespace calhost::sandbox::graph

#include "calendar/rule_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "calendar/recurrence_lines.h"
#include "calendar/rule.h"
#include "calendar/rule_parts.h"
#include "calendar/series.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using namespace std::chrono;

/// By the number that chrono gives each, from Sunday on.
constexpr auto kDays = std::to_array<std::string_view>(
    {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"});
constexpr auto kFrequencies = std::to_array<std::string_view>(
    {"secondly", "minutely", "hourly", "daily", "weekly", "monthly", "yearly"});

std::string upper(std::string_view word) {
    std::string text(word);
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

std::string lower(std::string_view word) {
    std::string text(word);
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// "by_month_day" as "BYMONTHDAY".
std::string part_of(std::string_view field) {
    auto text = upper(field);
    std::erase(text, '_');
    return text;
}

/// "MO" as "monday".
std::string day_of(std::string_view code) {
    const auto prefix = lower(code);
    return std::string(
        *std::ranges::find_if(kDays, [&](auto day) { return day.starts_with(prefix); }));
}

/// 0 for Monday.
int place_in_week(std::string_view day) {
    return static_cast<int>((std::ranges::find(kDays, day) - kDays.begin() + 6) % 7);
}

void read_part(std::string_view part, RuleFields& into) {
    const auto name = part.substr(0, part.find('='));
    const auto value = part.substr(name.size() + 1);
    if (name == "WKST") into.week_start = day_of(value);
    if (name == "BYDAY")
        for (const auto item : split(value, ','))
            into.by_day.push_back({.day = day_of(item.substr(item.size() - 2)),
                                   .nth = number(item.substr(0, item.size() - 2)).value_or(0)});
    for (const auto field : kNumberFields)
        if (name == part_of(field))
            for (const auto item : split(value, ','))
                into.numbers[std::string(field)].push_back(number(item).value_or(0));
}

/// On the last day on which an occurrence may begin, at the series' time of day.
Result<std::optional<EventTime>> last_start(const Rule& rule, const EventTime& start) {
    const auto end = wall_clock_end(rule, start);
    if (!end) return std::nullopt;
    const auto first = wall_clock(start);
    const auto time_of_day = first - floor<days>(first);
    const auto day = floor<days>(*end - time_of_day);
    if (start.is_date) return make_date(Date(day));
    auto last = make_local(day + time_of_day, start.zone);
    if (!last) return fail(last.error());
    return std::move(*last);
}

void fill_from(const EventTime& start, RuleFields& fields) {
    const auto day = floor<days>(wall_clock(start));
    const Date date(day);
    const auto has = [&](const char* name) { return fields.numbers.contains(name); };
    const auto fill = [&](const char* name, unsigned value) {
        fields.numbers[name] = {static_cast<int>(value)};
    };
    if (!fields.by_day.empty()) return;
    if (fields.freq == "weekly")
        fields.by_day.push_back(
            {.day = std::string(kDays.at(weekday(sys_days(date)).c_encoding()))});
    if (fields.freq == "monthly" && !has("by_month_day"))
        fill("by_month_day", unsigned(date.day()));
    if (fields.freq != "yearly" || has("by_month_day") || has("by_year_day") || has("by_week_no"))
        return;
    if (!has("by_month")) fill("by_month", unsigned(date.month()));
    fill("by_month_day", unsigned(date.day()));
}

std::string format_days(std::vector<RuleDay> list) {
    std::ranges::sort(
        list, {}, [](const auto& item) { return std::pair(place_in_week(item.day), item.nth); });
    const auto doubled = std::ranges::unique(list);
    list.erase(doubled.begin(), doubled.end());
    std::string text;
    for (const auto& item : list) {
        if (!text.empty()) text += ',';
        if (item.nth != 0) text += std::to_string(item.nth);
        text += upper(item.day.substr(0, 2));
    }
    return text;
}

template <class Words>
Result<void> check_word(const Words& words, std::string_view word, std::string_view name) {
    if (std::ranges::find(words, word) != words.end()) return {};
    return fail(ErrorCode::invalid, fmt::format("a rule's {} cannot be '{}'; write one of {}", name,
                                                word.substr(0, 60), fmt::join(words, ", ")));
}

}  // namespace

Result<RuleFields> parse_rule_fields(std::string_view rrule, const EventTime& start) {
    const auto rule = parse_rule(rrule);
    if (!rule) return fail(rule.error());
    RuleFields fields{.freq = lower(rule->freq), .interval = rule->interval, .count = rule->count};
    for (const auto part : split(rule->text, ';')) read_part(part, fields);
    fill_from(start, fields);
    fields.has_start = gives_start(*rule, wall_clock(start));
    auto last = last_start(*rule, start);
    if (!last) return fail(last.error());
    fields.last = std::move(*last);
    return fields;
}

Result<std::string> format_rule_fields(const RuleFields& fields) {
    if (auto known = check_word(kFrequencies, fields.freq, "freq"); !known)
        return fail(known.error());
    if (auto known = check_word(kDays, fields.week_start, "week_start"); !known)
        return fail(known.error());
    for (const auto& item : fields.by_day)
        if (auto known = check_word(kDays, item.day, "day"); !known) return fail(known.error());
    std::string text = "FREQ=" + upper(fields.freq);
    if (fields.interval != 1) text += fmt::format(";INTERVAL={}", fields.interval);
    for (const auto name : kNumberFields) {
        // BYDAY stands after the other parts that name days.
        if (name == "by_hour" && !fields.by_day.empty())
            text += ";BYDAY=" + format_days(fields.by_day);
        if (const auto list = fields.numbers.find(name);
            list != fields.numbers.end() && !list->second.empty())
            text += fmt::format(";{}={}", part_of(name), fmt::join(list->second, ","));
    }
    if (fields.week_start != "monday")
        text += ";WKST=" + upper(std::string_view(fields.week_start).substr(0, 2));
    if (fields.count > 0) text += fmt::format(";COUNT={}", fields.count);
    if (fields.last) text += ";UNTIL=" + format_basic_time(*fields.last);
    return text;
}

}  // namespace calhost::calendar

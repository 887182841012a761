#include "calendar/barren.h"

#include <algorithm>
#include <string_view>

#include "calendar/event.h"
#include "calendar/rule_parts.h"

namespace calhost::calendar {
namespace {

using namespace std::chrono;

constexpr year kLastYear{2582};  ///< libical's

struct NthDay {
    weekday day;
    int position;  ///< 0: every one
};

/// What a rule demands of a day; an empty list demands nothing.
struct Demands {
    std::vector<int> months, month_days, year_days, weeks;
    std::vector<NthDay> week_days;
    weekday week_start = Monday;
    bool counts_in_year = false;  ///< positions count in the year, not in the month
    int fewest = 1;               ///< days that a period must have for BYSETPOS
};

weekday day_named(std::string_view name) {
    constexpr std::string_view names[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
    return weekday(static_cast<unsigned>(std::ranges::find(names, name) - std::begin(names)));
}

std::vector<int> numbers(std::string_view list) {
    std::vector<int> found;
    if (list.empty()) return found;
    for (const auto item : split(list, ',')) found.push_back(number(item).value_or(0));
    return found;
}

std::vector<NthDay> nth_days(std::string_view list) {
    std::vector<NthDay> found;
    if (list.empty()) return found;
    for (const auto item : split(list, ',')) {
        const auto position = item.substr(0, item.size() - 2);
        found.push_back({day_named(item.substr(item.size() - 2)), number(position).value_or(0)});
    }
    return found;
}

Parts parts_of(const Rule& rule) {
    Parts parts;
    for (const auto part : split(rule.text, ';')) {
        const auto sign = part.find('=');
        parts.emplace_back(part.substr(0, sign), part.substr(sign + 1));
    }
    return parts;
}

/// What the rule does not say about its days it takes from its start (RFC 5545 section 3.3.10), the
/// month as well where BYMONTHDAY stands without one: so libical reads it.
void fill_from_start(Demands& demands, Date start, bool is_yearly) {
    if (!demands.year_days.empty()) return;
    if (!demands.weeks.empty()) {
        if (demands.week_days.empty() && demands.month_days.empty())
            demands.week_days = {{weekday(local_days(start)), 0}};
        return;
    }
    if (!demands.week_days.empty() && demands.month_days.empty()) return;
    if (is_yearly && demands.months.empty())
        demands.months = {static_cast<int>(unsigned(start.month()))};
    if (demands.month_days.empty()) demands.month_days = {static_cast<int>(unsigned(start.day()))};
}

Demands demands_of(const Rule& rule, Date start) {
    const auto parts = parts_of(rule);
    const auto list = [&](std::string_view name) { return numbers(value_of(parts, name)); };
    Demands demands{.months = list("BYMONTH"),
                    .month_days = list("BYMONTHDAY"),
                    .year_days = list("BYYEARDAY"),
                    .weeks = list("BYWEEKNO"),
                    .week_days = nth_days(value_of(parts, "BYDAY"))};
    demands.counts_in_year = rule.freq == "YEARLY" && demands.months.empty();
    if (const auto day = value_of(parts, "WKST"); !day.empty()) demands.week_start = day_named(day);
    fill_from_start(demands, start, rule.freq == "YEARLY");
    // Of the days: libical does not count BYHOUR's times.
    const auto positions = list("BYSETPOS");
    if (!positions.empty())
        demands.fewest = std::ranges::min(positions, {}, [](int one) { return std::abs(one); });
    demands.fewest = std::abs(demands.fewest);
    return demands;
}

/// `list` holds the place among `length`, counted from the front or, negative, from the back.
bool has_place(const std::vector<int>& list, int place, int length) {
    return list.empty() || std::ranges::any_of(list, [&](int wanted) {
               return wanted == place || wanted == place - length - 1;
           });
}

/// The nth such weekday, from either end of `length` days of which this is number `place`.
bool is_nth(int position, int place, int length) {
    return position == (place - 1) / 7 + 1 || position == -((length - place) / 7 + 1);
}

int place_in_year(Date date) {
    return static_cast<int>((local_days(date) - local_days(date.year() / January / 1)).count()) + 1;
}
int length_of(year when) { return when.is_leap() ? 366 : 365; }

/// A week belongs to the year that has its fourth day.
bool is_in_weeks(const Demands& demands, Date date) {
    if (demands.weeks.empty()) return true;
    const auto behind = weekday(local_days(date)) - demands.week_start;
    const Date fourth(local_days(date) - behind + days(3));
    const int place = place_in_year(fourth), length = length_of(fourth.year());
    const int first = (place - 1) % 7;
    return has_place(demands.weeks, (place - 1) / 7 + 1, (length - 1 - first) / 7 + 1);
}

bool is_on_week_day(const Demands& demands, Date date, int day, int length) {
    const weekday today{local_days(date)};
    return demands.week_days.empty() || std::ranges::any_of(demands.week_days, [&](NthDay wanted) {
               if (wanted.day != today) return false;
               if (wanted.position == 0) return true;
               if (!demands.counts_in_year) return is_nth(wanted.position, day, length);
               return is_nth(wanted.position, place_in_year(date), length_of(date.year()));
           });
}

bool is_in_months(const Demands& demands, Date date) {
    const auto month = static_cast<int>(unsigned(date.month()));
    return demands.months.empty() ||
           std::ranges::find(demands.months, month) != demands.months.end();
}

bool is_met(const Demands& demands, Date date) {
    if (!is_in_months(demands, date)) return false;
    const auto month_end = date.year() / date.month() / last;
    const int day = static_cast<int>(unsigned(date.day()));
    const int length = static_cast<int>(unsigned(month_end.day()));
    if (!has_place(demands.month_days, day, length)) return false;
    if (!demands.year_days.empty() &&
        !has_place(demands.year_days, place_in_year(date), length_of(date.year())))
        return false;
    return is_on_week_day(demands, date, day, length) && is_in_weeks(demands, date);
}

}  // namespace

bool is_barren(const Rule& rule, local_seconds start) {
    if (rule.freq != "MONTHLY" && rule.freq != "YEARLY") return false;
    const Date first(floor<days>(start));
    const auto demands = demands_of(rule, first);
    const months period(rule.freq == "YEARLY" ? 12 : 1);
    const int periods = kSearchYears * 12 / static_cast<int>(period.count());
    auto begin = first.year() / (rule.freq == "YEARLY" ? January : first.month()) / 1;
    for (int i = 0; i < periods && begin.year() <= kLastYear; ++i) {
        int met = 0;
        for (auto day = local_days(begin); day < local_days(begin + period); day += days(1)) {
            if (is_met(demands, Date(day))) ++met;
            if (met == demands.fewest) return false;
        }
        begin += period * rule.interval;
    }
    return true;
}

}  // namespace calhost::calendar

#include "calendar/rule.h"

#include <fmt/format.h>
#include <libical/ical.h>

#include <algorithm>
#include <memory>

#include "calendar/barren.h"
#include "calendar/rule_parts.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using namespace std::chrono;

constexpr std::size_t kMaxRuleLength = 2000;
constexpr int kMaxCalls = 50'000;  ///< of libical's iterator: about 150 ms
constexpr int kMaxSteps = 50'000;  ///< periods libical may step through within its calls
constexpr int kMaxInterval = 10'000;

struct NumberPart {
    std::string_view name;
    int low;
    int high;
    bool is_signed;
};
constexpr NumberPart kNumberParts[] = {
    {"BYSECOND", 0, 60, false},  {"BYMINUTE", 0, 59, false},  {"BYHOUR", 0, 23, false},
    {"BYMONTHDAY", 1, 31, true}, {"BYYEARDAY", 1, 366, true}, {"BYWEEKNO", 1, 53, true},
    {"BYMONTH", 1, 12, false},   {"BYSETPOS", 1, 366, true},
};
constexpr std::string_view kFrequencies[] = {"SECONDLY", "MINUTELY", "HOURLY", "DAILY",
                                             "WEEKLY",   "MONTHLY",  "YEARLY"};
constexpr std::string_view kDays[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

std::unexpected<Error> refuse(std::string_view part, std::string_view why) {
    return fail(ErrorCode::invalid,
                fmt::format("the recurrence rule's part '{}' {}", part.substr(0, 60), why));
}

template <class Range>
bool is_one_of(std::string_view word, const Range& words) {
    return std::ranges::find(words, word) != std::end(words);
}

bool is_number_list(const NumberPart& part, std::string_view list) {
    return std::ranges::all_of(split(list, ','), [&](std::string_view item) {
        const auto value = number(item);
        if (!value || (*value < 0 && !part.is_signed)) return false;
        return std::abs(*value) >= part.low && std::abs(*value) <= part.high;
    });
}

/// "MO", and with a position "-1FR".
bool is_day_list(std::string_view list, bool may_have_position) {
    return std::ranges::all_of(split(list, ','), [&](std::string_view item) {
        if (item.size() < 2 || !is_one_of(item.substr(item.size() - 2), kDays)) return false;
        if (item.size() == 2) return true;
        const auto position = number(item.substr(0, item.size() - 2));
        return may_have_position && position && *position != 0 && std::abs(*position) <= 53;
    });
}

std::optional<Until> parse_until(std::string_view text) {
    Until until;
    until.is_utc = text.ends_with('Z');
    if (until.is_utc) text.remove_suffix(1);
    until.is_date = text.size() == 8;
    if (text.size() != 8 && (text.size() != 15 || text[8] != 'T')) return std::nullopt;
    const auto hour = until.is_date ? "00" : text.substr(9, 2);
    const auto minute = until.is_date ? "00" : text.substr(11, 2);
    const auto second = until.is_date ? "00" : text.substr(13, 2);
    const auto when =
        parse_local(fmt::format("{}-{}-{}T{}:{}:{}", text.substr(0, 4), text.substr(4, 2),
                                text.substr(6, 2), hour, minute, second));
    if (!when) return std::nullopt;
    until.when = *when;
    return until;
}

Result<Parts> split_parts(std::string_view text) {
    Parts parts;
    for (const auto part : split(text, ';')) {
        if (part.empty()) continue;  // "FREQ=DAILY;" is common
        const auto sign = part.find('=');
        if (sign == std::string_view::npos || sign + 1 == part.size())
            return refuse(part, "must look like NAME=VALUE");
        const auto name = part.substr(0, sign);
        if (!value_of(parts, name).empty()) return refuse(name, "stands there twice");
        parts.emplace_back(name, part.substr(sign + 1));
    }
    return parts;
}

/// Which parts go with which frequency: the table in RFC 5545 section 3.3.10.
Result<void> check_combination(const Parts& parts, std::string_view freq) {
    const auto has = [&](std::string_view name) { return !value_of(parts, name).empty(); };
    if (has("COUNT") && has("UNTIL")) return refuse("COUNT", "cannot stand beside UNTIL");
    if (has("BYWEEKNO") && freq != "YEARLY") return refuse("BYWEEKNO", "goes with YEARLY only");
    if (has("BYMONTHDAY") && freq == "WEEKLY")
        return refuse("BYMONTHDAY", "does not go with WEEKLY");
    if (has("BYYEARDAY") &&
        is_one_of(freq, std::initializer_list<std::string_view>{"DAILY", "WEEKLY", "MONTHLY"}))
        return refuse("BYYEARDAY", "does not go with this FREQ");
    const bool by_other = std::ranges::any_of(parts, [](const auto& part) {
        return part.first.starts_with("BY") && part.first != "BYSETPOS";
    });
    if (has("BYSETPOS") && !by_other) return refuse("BYSETPOS", "needs another BY part");
    return {};
}

Result<void> check_part(std::string_view name, std::string_view value, std::string_view freq,
                        bool by_week) {
    for (const auto& part : kNumberParts)
        if (part.name == name) {
            if (is_number_list(part, value)) return {};
            return refuse(name,
                          fmt::format("must hold numbers from {} to {}", part.low, part.high));
        }
    const bool may_have_position = freq == "MONTHLY" || (freq == "YEARLY" && !by_week);
    if (name == "BYDAY" && !is_day_list(value, may_have_position))
        return refuse(name, "must hold days such as MO (1MO or -1FR only with MONTHLY or YEARLY)");
    if (name == "WKST" && !is_one_of(value, kDays)) return refuse(name, "must be a day such as MO");
    if (name == "COUNT" && number(value).value_or(0) < 1)
        return refuse(name, "must be a number from 1");
    if (name == "INTERVAL" && (number(value).value_or(0) < 1 || *number(value) > kMaxInterval))
        return refuse(name, fmt::format("must be a number from 1 to {}", kMaxInterval));
    if (name == "UNTIL" && !parse_until(value))
        return refuse(name, "must be a date or a time such as 20261120T090000Z");
    if (!is_one_of(name, std::initializer_list<std::string_view>{"FREQ", "BYDAY", "WKST", "COUNT",
                                                                 "INTERVAL", "UNTIL"}))
        return refuse(name, "is not known");
    return {};
}

// --- libical -------------------------------------------------------------------------------------

using Iterator = std::unique_ptr<icalrecur_iterator, decltype(&icalrecur_iterator_free)>;

icaltimetype to_ical(local_seconds when) {
    const auto day = floor<days>(when);
    const Date date(day);
    const hh_mm_ss time(when - day);
    icaltimetype out = icaltime_null_time();
    out.year = int(date.year());
    out.month = static_cast<int>(unsigned(date.month()));
    out.day = static_cast<int>(unsigned(date.day()));
    out.hour = static_cast<int>(time.hours().count());
    out.minute = static_cast<int>(time.minutes().count());
    out.second = static_cast<int>(time.seconds().count());
    return out;  // zone stays null: floating
}

local_seconds from_ical(const icaltimetype& time) {
    const Date date{year(time.year), month(unsigned(time.month)), day(unsigned(time.day))};
    return local_days(date) + hours(time.hour) + minutes(time.minute) + seconds(time.second);
}

/// The length of a period; of months and years the longest.
seconds period(const Rule& rule) {
    const std::pair<std::string_view, seconds> lengths[] = {
        {"SECONDLY", 1s},    {"MINUTELY", 60s},     {"HOURLY", 3600s},     {"DAILY", days(1)},
        {"WEEKLY", days(7)}, {"MONTHLY", days(31)}, {"YEARLY", days(366)},
    };
    for (const auto& [name, length] : lengths)
        if (name == rule.freq) return length * rule.interval;
    return days(366);
}

/// A place at least one period before `from` where the rule's intervals begin anew, so that libical
/// need not walk from `start`; `start` when that is near.
local_seconds enter_at(const Rule& rule, local_seconds start, local_seconds from) {
    if (from <= start) return start;
    const auto skipped = (from - start) / period(rule) - 1;
    if (skipped < 1) return start;
    if (rule.freq != "MONTHLY" && rule.freq != "YEARLY") return start + skipped * period(rule);
    // Years and months vary in length: count them, and enter at their first day.
    const auto today = floor<days>(start);
    const Date first(today);
    const auto months_in = (rule.freq == "YEARLY" ? 12L : 1L) * rule.interval * skipped;
    const Date date =
        (first.year() / (rule.freq == "YEARLY" ? month(1) : first.month()) / 1) + months(months_in);
    return local_days(date) + (start - today);
}

/// *Thread*: any. libical's parts that are used here keep their state in the iterator, and their
/// error number in the thread.
Iterator open_iterator(const Rule& rule, local_seconds start, local_seconds entry,
                       local_seconds end) {
    icalerror_set_errors_are_fatal(0);
    auto parsed = icalrecurrencetype_from_string(rule.text.c_str());
    parsed.until = to_ical(end);
    Iterator iterator(nullptr, &icalrecur_iterator_free);
    if (parsed.freq == ICAL_NO_RECURRENCE) return iterator;
    // libical enters hours, minutes and seconds at the wrong place when the interval does not
    // divide a day. They depend on nothing before them, so these rules simply start at the entry.
    const bool starts_anywhere = period(rule) / rule.interval < days(1);
    iterator.reset(icalrecur_iterator_new(parsed, to_ical(starts_anywhere ? entry : start)));
    if (iterator && entry > start && !starts_anywhere &&
        icalrecur_iterator_set_start(iterator.get(), to_ical(entry)) == 0)
        iterator.reset();
    return iterator;
}

}  // namespace

Result<Rule> parse_rule(std::string_view rrule) {
    if (rrule.size() > kMaxRuleLength) return refuse("RRULE", "is too long");
    std::string upper(rrule);
    for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const auto parts = split_parts(upper);
    if (!parts) return fail(parts.error());
    Rule rule;
    rule.freq = value_of(*parts, "FREQ");
    if (!is_one_of(std::string_view(rule.freq), kFrequencies))
        return refuse("FREQ", "must be a word such as DAILY or WEEKLY");
    if (auto ok = check_combination(*parts, rule.freq); !ok) return fail(ok.error());
    const bool by_week = !value_of(*parts, "BYWEEKNO").empty();
    for (const auto& [name, value] : *parts) {
        if (auto ok = check_part(name, value, rule.freq, by_week); !ok) return fail(ok.error());
        if (name == "COUNT")
            rule.count = *number(value);
        else if (name == "UNTIL")
            rule.until = parse_until(value);
        else
            rule.text += fmt::format("{}{}={}", rule.text.empty() ? "" : ";", name, value);
        if (name == "INTERVAL") rule.interval = *number(value);
    }
    return rule;
}

Slots rule_slots(const Rule& rule, local_seconds start, std::optional<local_seconds> until,
                 local_seconds from, local_seconds to, std::size_t limit) {
    Slots slots;
    const auto end = std::min(until.value_or(to), to);
    if (start >= from && start <= to) slots.times.push_back(start);
    if (is_barren(rule, start)) return slots;
    const auto entry = rule.count > 0 ? start : enter_at(rule, start, from);
    const auto reach = entry + kMaxSteps * period(rule);
    const auto iterator = open_iterator(rule, start, entry, std::min(end, reach));
    std::int64_t counted = 1;
    for (int calls = 0; iterator != nullptr; ++calls) {
        const auto next = icalrecur_iterator_next(iterator.get());
        if (icaltime_is_null_time(next) != 0) break;
        const auto when = from_ical(next);
        if (when <= start) continue;
        if (rule.count > 0 && ++counted > rule.count) return slots;
        if (when > end) return slots;
        if (when < from) continue;
        if (slots.times.size() == limit || calls == kMaxCalls) {
            slots.is_cut = true;
            return slots;
        }
        if (slots.times.empty() || slots.times.back() != when) slots.times.push_back(when);
    }
    slots.is_cut = slots.is_cut || (iterator != nullptr && reach < end);
    return slots;
}

bool gives_start(const Rule& rule, local_seconds start) {
    if (is_barren(rule, start)) return false;
    const auto iterator = open_iterator(rule, start, start, start);
    if (iterator == nullptr) return false;
    const auto first = icalrecur_iterator_next(iterator.get());
    return icaltime_is_null_time(first) == 0 && from_ical(first) == start;
}

}  // namespace calhost::calendar

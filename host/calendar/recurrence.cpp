#include "calendar/recurrence.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/log.h"
#include "calendar/rule.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using namespace std::chrono;

/// Zones lie within a day of UTC, so a window in UTC widened by it holds every wall clock inside.
constexpr auto kZoneSlack = days(1);
/// A series that ends by COUNT later than this many occurrences is taken for one without end.
constexpr std::int64_t kMaxCounted = 10'000;

/// A series' start as wall clock; a date counts as its midnight, so that rules know one kind.
local_seconds wall_clock(const EventTime& time) {
    return time.is_date ? local_seconds(local_days(time.date)) : time.local;
}

Timestamp moment(const EventTime& time, std::string_view zone) {
    if (!time.is_date) return time.instant;
    return to_instant(local_days(time.date), zone).value_or(time.instant);
}

bool is_inside(const Event& event, Window window, std::string_view zone) {
    const auto start = moment(event.start, zone);
    const auto finish = moment(event.finish, zone);
    if (start >= window.finish) return false;
    return finish > window.start || (start == finish && start == window.start);
}

/// The rule's end as wall clock of the series: UNTIL is in UTC for timed series, and a bare date
/// means the whole day (RFC 5545 section 3.3.10, and what people write).
std::optional<local_seconds> wall_clock_end(const Rule& rule, const EventTime& start) {
    if (!rule.until) return std::nullopt;
    const auto& until = *rule.until;
    if (start.is_date) return floor<days>(until.when) + days(1) - seconds(1);
    if (until.is_date) return until.when + days(1) - seconds(1);
    if (!until.is_utc) return until.when;
    return to_local(Timestamp(until.when.time_since_epoch()), start.zone).value_or(until.when);
}

/// One occurrence of the series at `slot`. The length is by wall clock, so that an evening that
/// ends at 23:00 does so in the night when clocks change, too.
Event occurrence(const Event& series, local_seconds slot) {
    Event event = series;
    event.recurrence.reset();
    if (series.is_all_day()) {
        const auto first = floor<days>(slot);
        event.start = make_date(Date(first));
        event.finish = make_date(
            Date(first + (local_days(series.finish.date) - local_days(series.start.date))));
    } else {
        const auto exact = series.finish.instant - series.start.instant;
        event.start.local = slot;
        event.start.instant = to_instant(slot, series.start.zone).value_or(series.start.instant);
        const bool same_zone = series.finish.zone == series.start.zone;
        if (same_zone) {
            event.finish.local = slot + (series.finish.local - series.start.local);
            event.finish.instant =
                to_instant(event.finish.local, event.finish.zone).value_or(event.start.instant);
        }
        // Two zones, or an end that the gap has put before the start: the length itself counts.
        if (!same_zone || event.finish.instant < event.start.instant)
            event.finish =
                make_instant(event.start.instant + exact, series.finish.zone).value_or(event.start);
    }
    event.recurrence_id = event.start;
    event.series_id = series.id;
    event.id = occurrence_id(series.id, event.start);
    return event;
}

/// Slots of a series that do not happen, or happen elsewhere.
class Taken {
  public:
    void add(const EventTime& time) {
        if (time.is_date)
            days_.insert(local_days(time.date).time_since_epoch().count());
        else
            instants_.insert(to_millis(time.instant));
    }
    void add_override(const EventTime& time, const Event& series) {
        // Some programs name an all-day slot by a time, or a timed one by its date.
        if (series.is_all_day() && !time.is_date)
            days_.insert(floor<days>(time.local).time_since_epoch().count());
        else
            add(time);
    }
    [[nodiscard]] bool has(const EventTime& start) const {
        const auto day = floor<days>(wall_clock(start)).time_since_epoch().count();
        if (days_.contains(day)) return true;
        return !start.is_date && instants_.contains(to_millis(start.instant));
    }
    [[nodiscard]] std::size_t size() const { return days_.size() + instants_.size(); }

  private:
    std::unordered_set<std::int64_t> days_;
    std::unordered_set<std::int64_t> instants_;
};

/// An RDATE as the series' wall clock; a bare date takes the series' time of day.
local_seconds wall_clock_of_rdate(const EventTime& rdate, const EventTime& start) {
    if (start.is_date) return floor<days>(wall_clock(rdate));
    if (rdate.is_date) return local_days(rdate.date) + (start.local - floor<days>(start.local));
    if (rdate.zone == start.zone) return rdate.local;
    return to_local(rdate.instant, start.zone).value_or(rdate.local);
}

/// The rule, or nothing for one that cannot be read: its series is then its first occurrence.
std::optional<Rule> read_rule(const Event& series) {
    if (series.recurrence->rrule.empty()) return std::nullopt;
    auto rule = parse_rule(series.recurrence->rrule);
    if (rule) return std::move(*rule);
    log::warning("a series has a rule that cannot be read; its first occurrence stands for it",
                 {{"event", series.id}, {"why", rule.error().message}});
    return std::nullopt;
}

Slots series_slots(const Event& series, local_seconds from, local_seconds to, std::size_t limit) {
    const auto start = wall_clock(series.start);
    Slots slots;
    if (const auto rule = read_rule(series))
        slots = rule_slots(*rule, start, wall_clock_end(*rule, series.start), from, to, limit);
    else if (start >= from && start <= to)
        slots.times.push_back(start);
    for (const auto& rdate : series.recurrence->rdate) {
        const auto when = wall_clock_of_rdate(rdate, series.start);
        if (when >= from && when <= to) slots.times.push_back(when);
    }
    if (series.is_all_day())
        for (auto& time : slots.times) time = floor<days>(time);
    std::ranges::sort(slots.times);
    const auto doubled = std::ranges::unique(slots.times);
    slots.times.erase(doubled.begin(), doubled.end());
    return slots;
}

void expand_series(const Event& series, Taken taken, Window window, std::string_view zone,
                   Expansion& into) {
    for (const auto& exdate : series.recurrence->exdate) taken.add_override(exdate, series);
    const auto length = ceil<seconds>(series.finish.instant - series.start.instant);
    const auto from =
        local_seconds(floor<seconds>(window.start.time_since_epoch())) - length - kZoneSlack;
    const auto to = local_seconds(ceil<seconds>(window.finish.time_since_epoch())) + kZoneSlack;
    // The slack on both sides may hold slots that fall outside, and taken ones do not count.
    const auto slots = series_slots(series, from, to, 2 * kMaxOccurrences + taken.size());
    std::size_t count = 0;
    bool is_cut = slots.is_cut;
    for (const auto slot : slots.times) {
        EventTime start = series.start;
        if (series.is_all_day()) {
            start = make_date(Date(floor<days>(slot)));
        } else {
            start.local = slot;
            start.instant = to_instant(slot, start.zone).value_or(start.instant);
        }
        if (moment(start, zone) >= window.finish) continue;
        if (taken.has(start)) continue;
        auto event = occurrence(series, slot);
        if (!is_inside(event, window, zone)) continue;
        if (count == kMaxOccurrences) {
            is_cut = true;
            break;
        }
        ++count;
        into.events.push_back(std::move(event));
    }
    into.is_cut = into.is_cut || is_cut;
}

/// Events are big: places are sorted, and each event moves once.
void sort_by_start(std::vector<Event>& events, std::string_view zone) {
    struct Place {
        Timestamp start;
        Event* event;
    };
    std::vector<Place> places;
    places.reserve(events.size());
    for (auto& event : events) places.push_back({moment(event.start, zone), &event});
    std::ranges::sort(places, [](const Place& a, const Place& b) {
        return a.start != b.start ? a.start < b.start : a.event->id < b.event->id;
    });
    std::vector<Event> sorted;
    sorted.reserve(events.size());
    for (const auto& place : places) sorted.push_back(std::move(*place.event));
    events = std::move(sorted);
}

}  // namespace

std::string occurrence_id(std::string_view series_id, const EventTime& original) {
    std::string text =
        original.is_date
            ? format_date(original.date)
            : format_local(local_seconds(floor<seconds>(original.instant.time_since_epoch())));
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return std::string(series_id) + "_" + text + (original.is_date ? "" : "Z");
}

Expansion expand(std::vector<Event> rows, Window window, std::string_view zone) {
    std::unordered_map<std::string_view, const Event*> series;
    for (const auto& row : rows)
        if (row.is_series()) series.emplace(row.id, &row);
    std::unordered_map<std::string_view, Taken> taken;
    if (!series.empty())
        for (const auto& row : rows)
            if (row.is_override())
                if (const auto found = series.find(row.series_id); found != series.end())
                    taken[row.series_id].add_override(*row.recurrence_id, *found->second);
    Expansion expansion;
    for (const auto& row : rows)
        if (row.is_series() && row.status != "cancelled")
            expand_series(row, taken[row.id], window, zone, expansion);
    // Only now, because the maps look into the rows.
    for (auto& row : rows)
        if (!row.is_series() && row.status != "cancelled" && is_inside(row, window, zone))
            expansion.events.push_back(std::move(row));
    sort_by_start(expansion.events, zone);
    return expansion;
}

Result<std::optional<Timestamp>> series_end(const Event& series) {
    if (!series.recurrence) return std::optional(series.finish.instant);
    const auto length = series.finish.instant - series.start.instant;
    // A day more than exact: what ends in the night when clocks change, and all-day ones anywhere.
    const auto after = [&](local_seconds slot) {
        return Timestamp(slot.time_since_epoch()) + length + 2 * kZoneSlack;
    };
    auto last = wall_clock(series.start);
    for (const auto& rdate : series.recurrence->rdate)
        last = std::max(last, wall_clock_of_rdate(rdate, series.start));
    if (series.recurrence->rrule.empty()) return std::optional(after(last));
    const auto rule = parse_rule(series.recurrence->rrule);
    if (!rule) return fail(rule.error());
    if (const auto end = wall_clock_end(*rule, series.start))
        return std::optional(after(std::max(last, *end)));
    if (rule->count == 0 || rule->count > kMaxCounted) return std::nullopt;
    const auto start = wall_clock(series.start);
    const auto slots = rule_slots(*rule, start, std::nullopt, start, start + years(400),
                                  static_cast<std::size_t>(rule->count) + 1);
    if (slots.is_cut) return std::nullopt;
    return std::optional(after(std::max(last, slots.times.back())));
}

Result<void> check_rrule(std::string_view rrule) {
    auto rule = parse_rule(rrule);
    if (!rule) return fail(rule.error());
    return {};
}

}  // namespace calhost::calendar

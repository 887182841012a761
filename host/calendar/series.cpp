#include "calendar/series.h"

#include <algorithm>

#include "base/log.h"
#include "calendar/recurrence.h"
#include "calendar/zone.h"

namespace calhost::calendar {

using namespace std::chrono;

namespace {

/// As many changes of this and all later occurrences count; of more than these each is one.
constexpr std::size_t kMaxLooks = 100;

/// The rule, or nothing for one that cannot be read: its series is then its first occurrence.
std::optional<Rule> read_rule(const Event& series) {
    if (series.recurrence->rrule.empty()) return std::nullopt;
    auto rule = parse_rule(series.recurrence->rrule);
    if (rule) return std::move(*rule);
    log::warning("a series has a rule that cannot be read; its first occurrence stands for it",
                 {{"event", series.id}, {"why", rule.error().message}});
    return std::nullopt;
}

}  // namespace

local_seconds wall_clock(const EventTime& time) {
    return time.is_date ? local_seconds(local_days(time.date)) : time.local;
}

local_seconds wall_clock_in(const EventTime& slot, const EventTime& like) {
    if (slot.is_date || like.is_date || slot.zone == like.zone) return wall_clock(slot);
    return to_local(slot.instant, like.zone).value_or(slot.local);
}

local_seconds wall_clock_of_rdate(const EventTime& rdate, const EventTime& start) {
    if (start.is_date) return floor<days>(wall_clock(rdate));
    if (rdate.is_date) return local_days(rdate.date) + (start.local - floor<days>(start.local));
    if (rdate.zone == start.zone) return rdate.local;
    return to_local(rdate.instant, start.zone).value_or(rdate.local);
}

std::optional<local_seconds> wall_clock_end(const Rule& rule, const EventTime& start) {
    if (!rule.until) return std::nullopt;
    const auto& until = *rule.until;
    if (start.is_date) return floor<days>(until.when) + days(1) - seconds(1);
    if (until.is_date) return until.when + days(1) - seconds(1);
    if (!until.is_utc) return until.when;
    return to_local(Timestamp(until.when.time_since_epoch()), start.zone).value_or(until.when);
}

EventTime slot_of(const Event& series, local_seconds when) {
    if (series.is_all_day()) return make_date(Date(floor<days>(when)));
    EventTime slot = series.start;
    slot.local = when;
    slot.instant = to_instant(when, slot.zone).value_or(slot.instant);
    return slot;
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

std::vector<Look> looks_of(const Event& series, const std::vector<const Event*>& changes) {
    std::vector<Look> looks{{&series, local_seconds::min(), local_seconds::max()}};
    for (const auto* change : changes) {
        if (looks.size() > kMaxLooks) break;
        const auto& slot = *change->recurrence_id;
        const auto first = slot.is_date || series.is_all_day() || slot.zone == series.start.zone
                               ? wall_clock(slot)
                               : to_local(slot.instant, series.start.zone).value_or(slot.local);
        looks.push_back({change, first, local_seconds::max()});
    }
    std::ranges::sort(looks, {}, &Look::first);
    for (std::size_t i = 1; i < looks.size(); ++i) looks[i - 1].end = looks[i].first;
    return looks;
}

EventTime start_at(const Event& shape, const EventTime& slot) {
    if (!shape.is_override()) return slot;
    const auto shift = wall_clock(shape.start) - wall_clock_in(*shape.recurrence_id, shape.start);
    return slot_of(shape, wall_clock_in(slot, shape.start) + shift);
}

Event occurrence(const Event& series, const Event& shape, EventTime slot) {
    Event event = shape;
    event.recurrence.reset();
    event.is_this_and_future = false;
    event.start = start_at(shape, slot);
    if (shape.is_all_day()) {
        event.finish =
            make_date(Date(local_days(event.start.date) +
                           (local_days(shape.finish.date) - local_days(shape.start.date))));
    } else {
        const auto exact = shape.finish.instant - shape.start.instant;
        const bool same_zone = shape.finish.zone == shape.start.zone;
        if (same_zone) {
            event.finish.local = event.start.local + (shape.finish.local - shape.start.local);
            event.finish.instant =
                to_instant(event.finish.local, event.finish.zone).value_or(event.start.instant);
        }
        // Two zones, or an end that the gap has put before the start: the length itself counts.
        if (!same_zone || event.finish.instant < event.start.instant)
            event.finish =
                make_instant(event.start.instant + exact, shape.finish.zone).value_or(event.start);
    }
    event.series_id = series.id;
    event.id = occurrence_id(series.id, slot);
    event.recurrence_id = std::move(slot);
    return event;
}

}  // namespace calhost::calendar

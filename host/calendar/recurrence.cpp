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

EventTime slot_of(const Event& series, local_seconds when) {
    if (series.is_all_day()) return make_date(Date(floor<days>(when)));
    EventTime slot = series.start;
    slot.local = when;
    slot.instant = to_instant(when, slot.zone).value_or(slot.instant);
    return slot;
}

/// How a series' occurrences look from one slot on: as the series itself, or as the override that
/// moved this and all later ones.
struct Look {
    const Event* shape;
    local_seconds first;  ///< its first slot, in the series' wall clock
    local_seconds end;    ///< the next look's
};

/// As many changes of this and all later occurrences count; of more than these each is one.
constexpr std::size_t kMaxLooks = 100;

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

/// The slot as wall clock of `zone`; any wall clock will do for a date.
local_seconds wall_clock_in(const EventTime& slot, const EventTime& like) {
    if (slot.is_date || like.is_date || slot.zone == like.zone) return wall_clock(slot);
    return to_local(slot.instant, like.zone).value_or(slot.local);
}

/// Where the occurrence of `slot` begins: as far from it as the change's own start from its slot.
EventTime start_at(const Event& shape, const EventTime& slot) {
    if (!shape.is_override()) return slot;
    const auto shift = wall_clock(shape.start) - wall_clock_in(*shape.recurrence_id, shape.start);
    return slot_of(shape, wall_clock_in(slot, shape.start) + shift);
}

/// The occurrence of `slot`. The length is by wall clock, so that an evening that ends at 23:00
/// does so in the night when clocks change, too.
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

/// What is known of a series besides its own row.
struct Overrides {
    Taken taken;
    std::vector<const Event*> changes;  ///< those of THISANDFUTURE

    void add(const Event& row, const Event& series) {
        taken.add_override(*row.recurrence_id, series);
        if (row.is_this_and_future) changes.push_back(&row);
    }
};

/// One series on its way into an Expansion.
class SeriesExpander {
  public:
    SeriesExpander(const Event& series, Overrides overrides, Window window, std::string_view zone,
                   Expansion& into)
        : series_(series),
          overrides_(std::move(overrides)),
          window_(window),
          zone_(zone),
          into_(into) {
        for (const auto& exdate : series.recurrence->exdate)
            overrides_.taken.add_override(exdate, series);
    }

    void run() {
        for (const auto& look : looks_of(series_, overrides_.changes))
            if (look.shape->status != "cancelled") expand(look);
    }

  private:
    void expand(const Look& look) {
        const auto& shape = *look.shape;
        const auto length = ceil<seconds>(shape.finish.instant - shape.start.instant);
        const auto shift = shape.is_override()
                               ? floor<seconds>(shape.start.instant - shape.recurrence_id->instant)
                               : seconds(0);
        const auto reach = [&](Timestamp when) {
            return local_seconds(floor<seconds>(when.time_since_epoch())) - shift;
        };
        const auto from = std::max(reach(window_.start) - length - kZoneSlack, look.first);
        const auto to =
            std::min(reach(window_.finish) + seconds(1) + kZoneSlack, look.end - seconds(1));
        if (from > to) return;
        // The slack on both sides may hold slots that fall outside, and taken ones do not count.
        const auto slots =
            series_slots(series_, from, to, 2 * kMaxOccurrences + overrides_.taken.size());
        into_.is_cut = into_.is_cut || slots.is_cut;
        for (const auto when : slots.times) take(shape, slot_of(series_, when));
    }

    void take(const Event& shape, EventTime slot) {
        if (count_ > kMaxOccurrences || overrides_.taken.has(slot)) return;
        if (moment(start_at(shape, slot), zone_) >= window_.finish) return;
        auto event = occurrence(series_, shape, std::move(slot));
        if (!is_inside(event, window_, zone_)) return;
        if (count_++ < kMaxOccurrences)
            into_.events.push_back(std::move(event));
        else
            into_.is_cut = true;
    }

    const Event& series_;
    Overrides overrides_;
    Window window_;
    std::string_view zone_;
    Expansion& into_;
    std::size_t count_ = 0;
};

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
    std::unordered_map<std::string_view, Overrides> overrides;
    if (!series.empty())
        for (const auto& row : rows)
            if (row.is_override())
                if (const auto found = series.find(row.series_id); found != series.end())
                    overrides[row.series_id].add(row, *found->second);
    Expansion expansion;
    for (const auto& row : rows)
        if (row.is_series() && row.status != "cancelled")
            SeriesExpander(row, std::move(overrides[row.id]), window, zone, expansion).run();
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

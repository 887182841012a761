#include "calendar/recurrence.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "base/log.h"
#include "calendar/series.h"
#include "calendar/zone.h"

namespace calhost::calendar {
namespace {

using namespace std::chrono;

/// Zones lie within a day of UTC, so a window in UTC widened by it holds every wall clock inside.
constexpr auto kZoneSlack = days(1);
/// A series that ends by COUNT later than this many occurrences is taken for one without end.
constexpr std::int64_t kMaxCounted = 10'000;

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
    const auto is_before = [](const Place& a, const Place& b) {
        return a.start != b.start ? a.start < b.start : a.event->id < b.event->id;
    };
    if (std::ranges::is_sorted(places, is_before)) return;
    std::ranges::sort(places, is_before);
    std::vector<Event> sorted;
    sorted.reserve(events.size());
    for (const auto& place : places) sorted.push_back(std::move(*place.event));
    events = std::move(sorted);
}

/// The rows of one series, sorted out.
struct SeriesRows {
    const Event* series = nullptr;
    Overrides overrides;

    explicit SeriesRows(const std::vector<Event>& rows) {
        for (const auto& row : rows)
            if (row.is_series()) series = &row;
        if (series == nullptr) return;
        for (const auto& row : rows)
            if (row.is_override()) overrides.add(row, *series);
        for (const auto& exdate : series->recurrence->exdate)
            overrides.taken.add_override(exdate, *series);
    }

    [[nodiscard]] std::vector<EventTime> free_slots(local_seconds from, local_seconds to) const {
        std::vector<EventTime> free;
        for (const auto when : series_slots(*series, from, to, kMaxOccurrences).times)
            if (auto slot = slot_of(*series, when); !overrides.taken.has(slot))
                free.push_back(std::move(slot));
        return free;
    }
};

bool is_same_slot(const EventTime& a, const EventTime& b) {
    if (a.is_date || b.is_date) return floor<days>(wall_clock(a)) == floor<days>(wall_clock(b));
    return a.instant == b.instant;
}

std::unexpected<Error> no_occurrence() {
    return fail(ErrorCode::not_found, "The series has no occurrence at this time.");
}

}  // namespace

Result<Found> find_occurrence(const std::vector<Event>& rows, const EventTime& slot) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].is_override() && is_same_slot(*rows[i].recurrence_id, slot))
            return Found{rows[i], i};
    const SeriesRows known(rows);
    if (known.series == nullptr) return no_occurrence();
    const auto when = wall_clock_in(slot, known.series->start);
    const auto day = floor<days>(when);
    for (auto& free : known.free_slots(day, day + days(1) - seconds(1))) {
        if (!is_same_slot(free, slot)) continue;
        const auto looks = looks_of(*known.series, known.overrides.changes);
        const auto look = std::ranges::find_if(
            looks, [&](const Look& one) { return one.first <= when && when < one.end; });
        return Found{occurrence(*known.series, *look->shape, std::move(free)),
                     static_cast<std::size_t>(look->shape - rows.data())};
    }
    return no_occurrence();
}

std::optional<EventTime> next_like(const std::vector<Event>& rows, const EventTime& slot) {
    const SeriesRows known(rows);
    if (known.series == nullptr) return std::nullopt;
    const auto when = wall_clock_in(slot, known.series->start);
    for (const auto& look : looks_of(*known.series, known.overrides.changes)) {
        if (look.first > when || look.end <= when) continue;
        const auto to = std::min(look.end - seconds(1), when + years(20));
        for (auto& free : known.free_slots(when + seconds(1), to)) return std::move(free);
    }
    return std::nullopt;
}

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
    // Only now, because the maps look into the rows. Most rows are single events and stay where
    // they are.
    std::erase_if(rows, [&](const Event& row) {
        return row.is_series() || row.status == "cancelled" || !is_inside(row, window, zone);
    });
    std::ranges::move(expansion.events, std::back_inserter(rows));
    expansion.events = std::move(rows);
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

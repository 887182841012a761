/// One series taken apart: its slots, what became of them, and how the occurrence of each looks.
/// The room's own; others call recurrence.h.
#pragma once

#include <unordered_set>

#include "calendar/event.h"
#include "calendar/rule.h"

namespace calhost::calendar {

/// A series' start as wall clock; a date counts as its midnight, so that rules know one kind.
std::chrono::local_seconds wall_clock(const EventTime& time);

/// The slot as wall clock of the zone of `like`; any wall clock will do for a date.
std::chrono::local_seconds wall_clock_in(const EventTime& slot, const EventTime& like);

/// An RDATE as the series' wall clock; a bare date takes the series' time of day.
std::chrono::local_seconds wall_clock_of_rdate(const EventTime& rdate, const EventTime& start);

/// The rule's end as wall clock of the series: UNTIL is in UTC for timed series, and a bare date
/// means the whole day (RFC 5545 section 3.3.10, and what people write).
std::optional<std::chrono::local_seconds> wall_clock_end(const Rule& rule, const EventTime& start);

EventTime slot_of(const Event& series, std::chrono::local_seconds when);

/// The slots in [from, to], at most `limit` of the rule's, whatever became of them.
Slots series_slots(const Event& series, std::chrono::local_seconds from,
                   std::chrono::local_seconds to, std::size_t limit);

/// Slots of a series that do not happen, or happen elsewhere.
class Taken {
  public:
    void add(const EventTime& time) {
        if (time.is_date)
            days_.insert(std::chrono::local_days(time.date).time_since_epoch().count());
        else
            instants_.insert(to_millis(time.instant));
    }
    void add_override(const EventTime& time, const Event& series) {
        // Some programs name an all-day slot by a time, or a timed one by its date.
        if (series.is_all_day() && !time.is_date)
            days_.insert(
                std::chrono::floor<std::chrono::days>(time.local).time_since_epoch().count());
        else
            add(time);
    }
    [[nodiscard]] bool has(const EventTime& start) const {
        const auto day =
            std::chrono::floor<std::chrono::days>(wall_clock(start)).time_since_epoch().count();
        if (days_.contains(day)) return true;
        return !start.is_date && instants_.contains(to_millis(start.instant));
    }
    [[nodiscard]] std::size_t size() const { return days_.size() + instants_.size(); }

  private:
    std::unordered_set<std::int64_t> days_;
    std::unordered_set<std::int64_t> instants_;
};

/// What is known of a series besides its own row.
struct Overrides {
    Taken taken;
    std::vector<const Event*> changes;  ///< those of THISANDFUTURE

    void add(const Event& row, const Event& series) {
        taken.add_override(*row.recurrence_id, series);
        if (row.is_this_and_future) changes.push_back(&row);
    }
};

/// How a series' occurrences look from one slot on: as the series itself, or as the override that
/// moved this and all later ones.
struct Look {
    const Event* shape;
    std::chrono::local_seconds first;  ///< its first slot, in the series' wall clock
    std::chrono::local_seconds end;    ///< the next look's
};

/// In order; the first is the series'.
std::vector<Look> looks_of(const Event& series, const std::vector<const Event*>& changes);

/// Where the occurrence of `slot` begins: as far from it as the change's own start from its slot.
EventTime start_at(const Event& shape, const EventTime& slot);

/// The occurrence of `slot`. The length is by wall clock, so that an evening that ends at 23:00
/// does so in the night when clocks change, too.
Event occurrence(const Event& series, const Event& shape, EventTime slot);

}  // namespace calhost::calendar

/// From series to occurrences. libical expands in floating time, Abseil maps each to its moment, so
/// that a wall-clock time stays what it is across daylight saving.
#pragma once

#include "calendar/event.h"

namespace calhost::calendar {

/// One occurrence that happens: an event without recurrence whose id is `<series>_<original start>`
/// (UTC basic form, or the date for all-day: "abc_20261120T090000Z"), or the single event itself.
struct Expansion {
    std::vector<Event> events;  ///< by start, then id
    bool is_cut = false;        ///< the cap was reached
};

inline constexpr std::size_t kMaxOccurrences = 1000;  ///< of one series in one window

/// What happens in `window`: single events, occurrences with their overrides in place (one that is
/// for this and all later ones moves those as far as its own, RFC 5545 section 3.2.13), none of the
/// cancelled ones. An occurrence carries `series_id` and `recurrence_id`, its slot. `rows` holds
/// single events, series and overrides in any order; an override whose series is not there stands
/// for itself. All-day values count from midnight in `zone`. *Errors*: none: a rule that cannot be
/// read makes its series its first occurrence, and is logged.
Expansion expand(std::vector<Event> rows, Window window, std::string_view zone = "Etc/UTC");

/// An occurrence by its slot.
struct Found {
    Event event;        ///< as in Expansion
    std::size_t shape;  ///< the row that it looks like: the series, or an override
};
/// Of the one series in `rows`, or the override that stands there. *Errors*: not_found, when the
/// series has no such slot or leaves it out.
Result<Found> find_occurrence(const std::vector<Event>& rows, const EventTime& slot);

/// The next slot after `slot` that looks like the override there (which must be one of this and all
/// later occurrences), or nothing when each has an override of its own, or is left out.
std::optional<EventTime> next_like(const std::vector<Event>& rows, const EventTime& slot);

/// A moment after which the series has no occurrence (up to two days late, never early; overrides
/// that were moved are not looked at), or nothing when it does not end.
/// *Errors*: invalid, for a rule that RFC 5545 section 3.3.10 does not allow.
Result<std::optional<Timestamp>> series_end(const Event& series);

/// The id of the occurrence whose slot is `original`, as in Expansion.
std::string occurrence_id(std::string_view series_id, const EventTime& original);

/// Checks a rule. *Errors*: invalid.
Result<void> check_rrule(std::string_view rrule);

}  // namespace calhost::calendar

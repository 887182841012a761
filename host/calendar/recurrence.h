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

/// What happens in `window`: single events, occurrences with their overrides in place, none of the
/// cancelled ones. `rows` holds single events, series and overrides in any order; an override whose
/// series is not there stands for itself. All-day values count from midnight in `zone`.
/// *Errors*: none: a rule that cannot be read makes its series its first occurrence, and is logged.
Expansion expand(const std::vector<Event>& rows, Window window, std::string_view zone = "Etc/UTC");

/// The moment after which the series has no occurrence, or nothing when it does not end.
/// *Errors*: invalid, for a rule that RFC 5545 section 3.3.10 does not allow.
Result<std::optional<Timestamp>> series_end(const Event& series);

/// Checks a rule. *Errors*: invalid.
Result<void> check_rrule(std::string_view rrule);

}  // namespace calhost::calendar

/// When a calendar is busy, from what is in it.
#pragma once

#include "calendar/event.h"

namespace calhost::calendar {

/// False for what is marked free, for what is cancelled, and for an invitation that the calendar's
/// owner declined. Tentative events take their time.
bool blocks_time(const Event& event);

/// The moment of a time; a date begins at midnight in `zone`. *Errors*: none: for an unknown zone
/// midnight in UTC.
Timestamp moment_in(const EventTime& time, std::string_view zone);

/// The busy times of `occurrences` inside `window`, by start, those that touch joined.
std::vector<Window> busy_windows(const std::vector<Event>& occurrences, Window window,
                                 std::string_view zone = "Etc/UTC");

/// Cuts to `window`, sorts, and joins what touches.
std::vector<Window> join_windows(std::vector<Window> times, Window window);

}  // namespace calhost::calendar

/// Google's times and recurrence lines as values of the calendar room, and back.
#pragma once

#include <boost/json/object.hpp>

#include "calendar/event.h"
#include "sandbox/answer.h"
#include "sandbox/occurrences.h"

namespace calhost::sandbox {

/// Reads `{date}` or `{dateTime, timeZone}`. A time without offset needs a zone. `name` is "start"
/// or "end", for the refusal.
Answer<calendar::EventTime> read_time(const boost::json::value* value, std::string_view name,
                                      const std::string& calendar_zone);
/// As Google writes it: the offset is that of `shown_zone`, the zone the event's own.
boost::json::object write_time(const calendar::EventTime& time, std::string_view shown_zone);
/// RFC 3339 with the zone's offset; UTC as "Z".
std::string format_in_zone(Timestamp instant, std::string_view zone);
/// RFC 3339 with milliseconds, as `created` and `updated` have it.
std::string format_millis(Timestamp when);

/// Reads `RRULE:`, `RDATE`, `EXDATE` lines. `start` gives the zone of values without one.
Answer<calendar::Recurrence> read_recurrence(const boost::json::value& lines,
                                             const calendar::EventTime& start);
boost::json::array write_recurrence(const calendar::Recurrence& recurrence);

}  // namespace calhost::sandbox

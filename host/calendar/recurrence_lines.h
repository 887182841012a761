/// Recurrence as property lines, the way Google's API carries it: "RRULE:FREQ=DAILY",
/// "EXDATE;TZID=Europe/Berlin:20261120T090000", "RDATE;VALUE=DATE:20261120" (RFC 5545
/// section 3.8.5).
#pragma once

#include "calendar/event.h"

namespace calhost::calendar {

/// Reads the lines; times without a zone are in `zone`. EXRULE and what else is not understood is
/// left out. *Errors*: invalid, for a date that is none or an unknown zone.
Result<Recurrence> parse_recurrence_lines(const std::vector<std::string>& lines,
                                          std::string_view zone);

/// Writes them. Timed values are written in UTC.
std::vector<std::string> format_recurrence_lines(const Recurrence& recurrence);

/// "20261120" or "20261120T090000Z" or, in `zone`, "20261120T090000". *Errors*: invalid.
Result<EventTime> parse_basic_time(std::string_view text, std::string_view zone);
/// "20261120", or the moment in UTC as "20261120T090000Z".
std::string format_basic_time(const EventTime& time);

}  // namespace calhost::calendar

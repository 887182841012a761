/// iCalendar (RFC 5545) in and out through libical, with the tolerance that real files need.
#pragma once

#include "calendar/event.h"

namespace calhost::calendar {

struct Calendar {
    std::string name;                   ///< X-WR-CALNAME
    std::string zone;                   ///< X-WR-TIMEZONE, if it is known
    std::vector<Event> events;          ///< series, overrides (with series_id = uid), single events
    std::vector<std::string> warnings;  ///< what was left out and why, one sentence each
};

/// Reads a whole file. Zones: an IANA name, one with a vendor's prefix, a Windows name that is well
/// known, else the VTIMEZONE's own rules turned into moments. A broken event is left out with a
/// warning, the others are kept. *Errors*: invalid, when it is no iCalendar at all or over 50 MiB.
Result<Calendar> read_icalendar(std::string_view text);

/// Writes events with the VTIMEZONEs they need; folds lines at 75 octets.
std::string write_icalendar(const Calendar& calendar);

}  // namespace calhost::calendar

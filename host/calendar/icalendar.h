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

/// Writes events with the VTIMEZONEs they need; folds lines at 75 octets. People in it are marked
/// SCHEDULE-AGENT=CLIENT, so that storing it on a CalDAV server sends no mail.
std::string write_icalendar(const Calendar& calendar);

/// Puts `event` into the text in which it is stored: the lines of what differs are replaced, every
/// other line, alarm, zone and component stays as it is. An override that is not there yet is
/// added to its series. UID, ORGANIZER and ATTENDEE stay, and alarms unless the event has
/// `reminders`. Names and bookkeeping (id, etag, series_id) are not written.
/// *Errors*: invalid, when `stored` is no iCalendar; not_found, when the event is not in it.
Result<std::string> update_icalendar(std::string_view stored, const Event& event);

/// The text without the override that stands for `slot`, and the series without that occurrence
/// (EXDATE). *Errors*: as above.
Result<std::string> exclude_occurrence(std::string_view stored, const EventTime& slot,
                                       Timestamp now);

}  // namespace calhost::calendar

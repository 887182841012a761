/// iCalendar (RFC 5545) in and out through libical, with the tolerance that real files need.
#pragma once

#include "calendar/event.h"

namespace calhost::calendar {

struct Calendar {
    std::string name;                   ///< X-WR-CALNAME
    std::string zone;                   ///< X-WR-TIMEZONE, if it is known
    std::vector<Event> events;          ///< series, overrides (with series_id = uid), single events
    std::vector<std::string> warnings;  ///< what was left out and why, one sentence each
    std::string owner{};                ///< only written: who gets reminders by e-mail
};

/// Reads a whole file. Zones: an IANA name, one with a vendor's prefix, a Windows name that is well
/// known, else the VTIMEZONE's own rules turned into moments. A broken event is left out with a
/// warning, the others are kept. *Errors*: invalid, when it is no iCalendar at all or over 50 MiB.
Result<Calendar> read_icalendar(std::string_view text);

/// Writes events with the VTIMEZONEs they need; folds lines at 75 octets. People in it are marked
/// SCHEDULE-AGENT=CLIENT, so that storing it on a CalDAV server sends no mail.
std::string write_icalendar(const Calendar& calendar);

/// Puts `event` into the text in which it is stored: the lines of what differs are replaced, every
/// other line, alarm, zone and component stays as it is. An override that is not there yet is made
/// from the occurrence that it replaces; a series that gets other slots loses the overrides of
/// those that it has no more. UID stays; so do ORGANIZER and ATTENDEE unless the event
/// `sets_attendees` and it is the `owner`'s meeting or nobody's; alarms unless the event has
/// `reminders`, and those of other programs even then; categories and color unless the event has
/// some; marks of other names. Names and bookkeeping (id, etag, series_id) are not written. `owner`
/// as in Calendar. *Errors*: invalid, when `stored` is no iCalendar; not_found, when the event is
/// not in it.
Result<std::string> update_icalendar(std::string_view stored, const Event& event,
                                     std::string_view owner = {});

/// The text without the override that stands for `slot`, and the series without that occurrence
/// (EXDATE). An override of all later occurrences, too, goes on at the next one. *Errors*: as
/// above.
Result<std::string> exclude_occurrence(std::string_view stored, const EventTime& slot,
                                       Timestamp now);

/// The text with SCHEDULE-AGENT=CLIENT where a server would send mail when this is stored: at the
/// attendees of an event that `owner` (an e-mail address; empty: not known) organizes, else at the
/// organizer. RFC 6638 section 7.1.
std::string keep_quiet(std::string_view stored, std::string_view owner);

}  // namespace calhost::calendar

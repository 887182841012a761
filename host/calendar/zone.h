/// Time zones by Abseil from the system's tzdata. *Thread*: any.
#pragma once

#include "calendar/event.h"

namespace calhost::calendar {

/// True for an IANA name that this machine knows.
bool is_zone(std::string_view name);

/// The moment of a wall-clock time. In a gap the offset before it holds (RFC 5545 section 3.3.5:
/// 02:30 Berlin on 2026-03-29 is 01:30Z), of a doubled time the first is meant.
/// *Errors*: invalid, for an unknown zone.
Result<Timestamp> to_instant(std::chrono::local_seconds local, std::string_view zone);
Result<std::chrono::local_seconds> to_local(Timestamp instant, std::string_view zone);

/// A change of a zone's offset from UTC.
struct Transition {
    std::chrono::local_seconds local;  ///< by the clock before the change, as a VTIMEZONE says it
    std::chrono::seconds before;       ///< east of UTC
    std::chrono::seconds after;
    bool is_daylight;  ///< what comes after
    std::string name;  ///< such as CEST
};
/// The offset that holds at `from` as a change without difference, then the changes until `to`;
/// empty for an unknown zone.
std::vector<Transition> transitions(std::string_view zone, Timestamp from, Timestamp to);

/// EventTimes of the three kinds.
EventTime make_date(Date date);
Result<EventTime> make_local(std::chrono::local_seconds local, std::string zone);
Result<EventTime> make_instant(Timestamp instant, std::string zone = "Etc/UTC");

/// "2026-11-20". *Errors*: invalid.
Result<Date> parse_date(std::string_view text);
std::string format_date(Date date);
/// "2026-11-20T09:00:00" without offset. *Errors*: invalid.
Result<std::chrono::local_seconds> parse_local(std::string_view text);
std::string format_local(std::chrono::local_seconds local);

}  // namespace calhost::calendar

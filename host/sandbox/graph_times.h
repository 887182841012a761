/// Graph's times and zones as values of the calendar room, and back.
#pragma once

#include <boost/json/object.hpp>

#include "calendar/event.h"
#include "sandbox/graph_answer.h"

namespace calhost::sandbox::graph {

/// The IANA zone of a name that a mailbox takes: every Windows name, and those IANA names that the
/// reference publishes (here: the default of each Windows zone). Empty for any other.
std::string zone_of(std::string_view name);
/// The Windows name of an IANA zone, or the zone itself when it has none of its own.
std::string windows_name(std::string_view zone);

/// Reads `{dateTime, timeZone}`; a dateTime has no offset. `is_date` reads an all-day event's.
Answer<calendar::EventTime> read_time(const boost::json::value* value, std::string_view name,
                                      bool is_date);
/// In the zone of that name. Dates float: they are midnight whatever the zone.
boost::json::object write_time(const calendar::EventTime& time, const std::string& zone_name);
/// "2026-11-20T09:00:00.0000000"
std::string format_seven(std::chrono::local_seconds local);

/// startDateTime and endDateTime: without offset they mean UTC. *Errors*: 400.
Answer<Timestamp> read_moment(std::string_view text, std::string_view name);

}  // namespace calhost::sandbox::graph

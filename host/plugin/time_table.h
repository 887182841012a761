/// The times of the neutral event as Lua tables, both ways.
///
/// A time is `{ date = "2026-11-20" }`, or `{ local = "2026-11-20T09:00:00", tz = "Europe/Berlin"
/// }`; what `event.instant` made also holds `instant` (milliseconds), which decides in the doubled
/// hour of autumn. Scripts may also write `{ instant = "2026-11-20T09:00:00+01:00", tz =
/// "Europe/Berlin" }` themselves, with the text that their service sent.
#pragma once

#include "calendar/event.h"
#include "lua/value.h"

namespace calhost::plugin {

void push_time(lua::Writer& writer, const calendar::EventTime& time);
void push_recurrence(lua::Writer& writer, const calendar::Recurrence& recurrence);

/// *Errors*: invalid, naming the field.
Result<calendar::EventTime> read_time(const lua::Reader& reader, std::string_view field);
Result<calendar::Recurrence> read_recurrence(const lua::Reader& reader);

/// A moment in its zone, or in UTC if this machine does not know the zone: that must not lose the
/// event, and the moment is what counts.
Result<calendar::EventTime> make_known_instant(Timestamp moment, std::string_view zone);

/// Beside the `tz` "Etc/UTC" of such a moment: the zone that was asked for.
inline constexpr std::string_view kUnknownZone = "unknown_zone";
/// The zone of a time's table that this machine does not know; empty: none.
std::string_view unknown_zone(const lua::Reader& time);

/// What is wrong with a field of an event.
std::unexpected<Error> wrong_field(std::string_view field, std::string_view what);

}  // namespace calhost::plugin

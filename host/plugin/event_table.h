/// The neutral event as a Lua table, both ways, without an intermediate tree.
///
/// A time is `{ date = "2026-11-20" }`, or `{ local = "2026-11-20T09:00:00", tz = "Europe/Berlin"
/// }`; what `event.instant` made also holds `instant` (milliseconds), which decides in the doubled
/// hour of autumn. Scripts may also write `{ instant = "2026-11-20T09:00:00+01:00", tz =
/// "Europe/Berlin" }` themselves, with the text that their service sent.
#pragma once

#include <vector>

#include "calendar/event.h"
#include "lua/value.h"

namespace calhost::plugin {

void push_time(lua::Writer& writer, const calendar::EventTime& time);
void push_recurrence(lua::Writer& writer, const calendar::Recurrence& recurrence);
void push_reminders(lua::Writer& writer, const std::vector<calendar::Reminder>& reminders);
void push_event(lua::Writer& writer, const calendar::Event& event);
/// An event that a provider is to write: texts that are empty are there as such and mean "clear",
/// `recurrence = false` means a single event. Attendees and the organizer are left out.
void push_wanted(lua::Writer& writer, const calendar::Event& event);

/// *Errors*: invalid, naming the field.
Result<calendar::EventTime> read_time(const lua::Reader& reader, std::string_view field);
Result<calendar::Recurrence> read_recurrence(const lua::Reader& reader);
Result<std::vector<calendar::Reminder>> read_reminders(const lua::Reader& reader);
Result<calendar::Event> read_event(const lua::Reader& reader);

/// What a script says of one event that changed: how it is now, `whole` (this page has all
/// overrides of that series), `deleted`, or `out_of_window`, which is no deletion. The last that is
/// said counts.
enum class ChangeKind { event, whole_series, deletion, out_of_window };
/// Into a new event; of the other kinds only the id counts. *Errors*: invalid, naming the field.
Result<ChangeKind> read_change(const lua::Reader& reader, calendar::Event& into);

/// A moment in its zone, or in UTC if this machine does not know the zone: that must not lose the
/// event, and the moment is what counts.
Result<calendar::EventTime> make_known_instant(Timestamp moment, std::string_view zone);

/// Whether the table of an event may have such a field.
bool is_event_field(std::string_view name);

}  // namespace calhost::plugin

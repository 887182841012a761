/// The neutral event as a Lua table, both ways, without an intermediate tree.
///
/// A time is `{ date = "2026-11-20" }`, or `{ local = "2026-11-20T09:00:00", tz = "Europe/Berlin"
/// }`; what `event.instant` made also holds `instant` (milliseconds), which decides in the doubled
/// hour of autumn.
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

}  // namespace calhost::plugin

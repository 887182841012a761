/// The neutral event as a Lua table, both ways, without an intermediate tree; its times are those
/// of time_table.h.
#pragma once

#include <string>
#include <vector>

#include "calendar/event.h"
#include "lua/value.h"

namespace calhost::plugin {

void push_reminders(lua::Writer& writer, const std::vector<calendar::Reminder>& reminders);
void push_event(lua::Writer& writer, const calendar::Event& event);
/// An event that a provider is to write: texts that are empty are there as such and mean "clear",
/// `recurrence = false` means a single event. Attendees and the organizer are left out.
void push_wanted(lua::Writer& writer, const calendar::Event& event);

/// *Errors*: invalid, naming the field.
Result<std::vector<calendar::Reminder>> read_reminders(const lua::Reader& reader);
Result<calendar::Event> read_event(const lua::Reader& reader);
/// What somebody made of `known`: its content and times are those of the table, its names, series,
/// marks and what only the service says stay.
Result<calendar::Event> read_edited(const lua::Reader& reader, const calendar::Event& known);

/// What a script says of one event that changed: how it is now, `whole` (this page has all
/// overrides of that series), `deleted`, or `out_of_window`, which is no deletion. The last that is
/// said counts.
enum class ChangeKind { event, whole_series, deletion, out_of_window };
/// Into a new event; of the other kinds only the id counts. *Errors*: invalid, naming the field.
Result<ChangeKind> read_change(const lua::Reader& reader, calendar::Event& into);

/// The first zone in the times of an event that was read which this machine does not know: those
/// count in UTC. Empty: none.
std::string unknown_zone(const lua::Reader& table, const calendar::Event& event);

/// Whether the table of an event may have such a field.
bool is_event_field(std::string_view name);

}  // namespace calhost::plugin

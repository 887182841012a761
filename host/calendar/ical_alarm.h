/// VALARM as a reminder. The room's own.
#pragma once

#include "calendar/event.h"
#include "calendar/ical_component.h"

namespace calhost::calendar {

/// Nothing for an alarm that the model does not hold: after the start, by the end, a year ahead, or
/// of another action than DISPLAY, AUDIO and EMAIL.
std::optional<Reminder> reminder_of(const Component& alarm, const EventTime& start);

}  // namespace calhost::calendar

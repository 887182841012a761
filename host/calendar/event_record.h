/// The stored form of events: a text that takes a fifth of what JSON takes to read, because one
/// answer reads thousands.
#pragma once

#include <string>
#include <string_view>

#include "calendar/event.h"

namespace calhost::calendar {

/// Members at their defaults are left out.
std::string to_record(const Event& event);
/// Into a new event. Reads JSON too: so were events stored before. *Errors*: invalid.
Result<void> read_record(Event& event, std::string_view record);

}  // namespace calhost::calendar

/// What the two written forms of an event share. Nobody outside the room includes this.
#pragma once

#include <string>

#include "calendar/event.h"

namespace calhost::calendar {

/// Lists, the rule, marks, what an override says and what was not modelled, as an object of JSON;
/// empty if the event has none of them. read_json_text reads it.
std::string rare_members(const Event& event);

}  // namespace calhost::calendar

/// Graph's recurrence patterns as RFC 5545 rules, and back.
#pragma once

#include <boost/json/object.hpp>

#include "calendar/event.h"
#include "sandbox/graph_answer.h"

namespace calhost::sandbox::graph {

/// The rule of a `patternedRecurrence` whose series starts at `start`. *Errors*: 400, for what the
/// reference does not allow, and for a start that the pattern does not hit.
Answer<std::string> read_pattern(const boost::json::value& recurrence,
                                 const calendar::EventTime& start);

/// The whole of it as Graph answers, unused members at their defaults. `recurrence` was accepted.
boost::json::object write_pattern(const boost::json::value& recurrence,
                                  const std::string& zone_name);

/// A rule as a pattern, or nothing for one that Graph cannot express.
std::optional<boost::json::object> pattern_of(std::string_view rrule,
                                              const calendar::EventTime& start);

}  // namespace calhost::sandbox::graph

/// Occurrences of a series in Google's shape.
#pragma once

#include "sandbox/event_body.h"
#include "sandbox/occurrences.h"

namespace calhost::sandbox {

/// One thing that happens: a single event, an override, or a plain occurrence.
struct Instance {
    boost::json::object body;
    Timestamp start;
    bool is_cancelled = false;
};

/// The occurrences of a series inside `window`, with overrides in place; cancelled ones only if
/// asked.
std::vector<Instance> expand_series(const Calendar& calendar, const Row& series,
                                    calendar::Window window, bool with_cancelled);

/// The stored or implied event of an id: an own row, else the plain occurrence that an instance id
/// names, if the series is alive and has that slot.
std::optional<boost::json::object> find_body(const Calendar& calendar, const std::string& id);

}  // namespace calhost::sandbox

/// Occurrences of a stored series, whichever provider shows them.
#pragma once

#include "sandbox/store.h"

namespace calhost::sandbox {

/// The moment in `zone` at which the time is reached: for a date its midnight there.
Timestamp moment_of(const calendar::EventTime& time, std::string_view zone);
/// True for an event that lies in the window, if only partly.
bool overlaps(const calendar::Event& event, calendar::Window window, std::string_view zone);

/// "20261120T090000Z", or "20261120" for a date: the tail of an occurrence's id.
std::string slot_name(const calendar::EventTime& original_start);

/// The occurrences of a series inside `window`, overrides in place, none of the cancelled ones.
std::vector<calendar::Event> expand_rows(const Calendar& calendar, const Row& series,
                                         calendar::Window window);

/// True if the rule of `series` has an occurrence at `original_start`, changed or not.
bool has_slot(const Calendar& calendar, const Row& series,
              const calendar::EventTime& original_start);

/// A plain occurrence; its start is its slot. *Ownership*: refers to its series.
struct Occurrence {
    const Row* series;
    calendar::EventTime start;
    calendar::EventTime finish;
};
/// The plain occurrence that an id names ("abc_20261120T090000Z"), if its series is alive and has
/// that slot.
std::optional<Occurrence> find_occurrence(const Calendar& calendar, const std::string& id);

}  // namespace calhost::sandbox

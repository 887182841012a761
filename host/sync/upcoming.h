/// What the store knows of a connection's events.
#pragma once

#include "calendar/recurrence.h"
#include "connect/services.h"
#include "storage/connections.h"

namespace calhost::sync {

/// Occurrences in the window, expanded, by start; all-day ones count in the calendar's zone.
Result<calendar::Expansion> occurrences(storage::Sql& sql, const storage::Connection& connection,
                                        calendar::Window window);

/// The zone of the connection's calendar; Etc/UTC where nobody knows it.
Result<std::string> calendar_zone(storage::Sql& sql, const storage::Connection& connection);

}  // namespace calhost::sync

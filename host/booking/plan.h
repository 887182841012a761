/// What the scripts would make of every booking to come, and what that would change in people's
/// calendars. Reads only, and asks no provider.
#pragma once

#include "booking/compose.h"
#include "connect/services.h"

namespace calhost::booking {

struct PlannedEvent {
    std::string booking_id;
    std::string role;
    std::string user_id;
    std::string provider, account;
    std::string change;  ///< create, update, remove, none; wait (until the connection works again)
    calendar::Event event;
    std::vector<std::string> failures;  ///< of scripts: lines for their author
};

/// By start, at most `limit` bookings. *Errors*: those of the store.
Result<std::vector<PlannedEvent>> plan(storage::Sql& sql, Scripts scripts, Timestamp now,
                                       int limit);

}  // namespace calhost::booking

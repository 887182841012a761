/// A person's bookings as one iCalendar file, for programs that only read.
#pragma once

#include "booking/compose.h"
#include "connect/services.h"

namespace calhost::booking {

/// Bookings from a month back on, as templates and rules write them into the person's calendars;
/// the same bookings give the same bytes. UIDs are "booking-<number>@<host>". *Errors*: not_found,
/// for a user who is gone; those of the store. Others get their turn meanwhile.
Task<Result<std::string>> write_feed(connect::Services& services, std::string user_id,
                                     std::string host);

}  // namespace calhost::booking

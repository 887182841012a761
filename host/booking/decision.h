/// Whether a booking belongs into a calendar: the same for the one who writes and for a plan.
#pragma once

#include "booking/compose.h"
#include "storage/booking_events.h"

namespace calhost::booking {

/// The host believes that the event is there, or cannot know that it is not.
bool may_be_there(const storage::BookingEvent& row);

/// The booking as that user sees it; nothing for one who does not take part (any more).
Result<std::optional<View>> view_of(storage::Sql& sql, const storage::Booking& booking,
                                    const storage::User& user);

/// Confirmed, still to come or there already, and meant for that calendar. What took place stays.
plugin::Ruled<bool> belongs(Scripts scripts, const View& view,
                            const storage::Connection& connection, const storage::BookingEvent& row,
                            Timestamp now);

}  // namespace calhost::booking
